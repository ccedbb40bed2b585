# The program and nothing else: a static binary, without a shell. `prove` needs `helm` and `kustomize`, so it is
# not for this image.
FROM rust:1.89-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY docs docs
COPY benches benches
RUN cargo build --profile dist --locked --bin ecr-rewrite

FROM scratch
COPY --from=build /source/target/dist/ecr-rewrite /ecr-rewrite
WORKDIR /repository
USER 65534:65534
ENTRYPOINT ["/ecr-rewrite"]
