#!/bin/sh
# Installs ecr-rewrite: the released binary for this machine where there is one, else what cargo builds from
# this checkout. Needs no root.
#
# Everything is in functions and the last line calls main, so that a cut copy runs nothing.
set -eu

MIN_RUST="1.89"

say() { printf '%s\n' "$*"; }
note() { printf 'install.sh: %s\n' "$*" >&2; }
fail() {
    note "$*"
    exit 1
}

usage() {
    cat <<EOF
Usage: sh install.sh [--to DIR] [--build | --from URL]

Copies ecr-rewrite to DIR (default: \$HOME/.local/bin). Where the package says where it is published, and
these are the sources of a release, its binary is taken, after a look at its checksum; else cargo builds it.

  --to DIR     where the program goes
  --build      build it in any case
  --from URL   the folder of the released files; fails when there is none for this machine
  --help       this text
EOF
}

# The first two parts of a version as one number: 1.89.0 -> 1089.
version_number() {
    major=${1%%.*}
    rest=${1#*.}
    minor=${rest%%.*}
    printf '%d' "$((major * 1000 + minor))"
}

check_cargo() {
    command -v cargo >/dev/null 2>&1 ||
        fail "cargo is not on PATH; install Rust $MIN_RUST or newer (https://rustup.rs) and run this again"
    command -v rustc >/dev/null 2>&1 || fail "rustc is not on PATH, although cargo is; reinstall Rust"
    found=$(rustc --version | cut -d ' ' -f 2)
    [ "$(version_number "$found")" -ge "$(version_number "$MIN_RUST")" ] ||
        fail "Rust $found is too old, $MIN_RUST or newer is needed; run \`rustup update\`"
}

# Before the build, which takes minutes.
check_dir() {
    mkdir -p "$1" 2>/dev/null || fail "\`$1\` cannot be made; choose another folder with --to DIR"
    [ -w "$1" ] || fail "\`$1\` cannot be written to; choose another folder with --to DIR"
}

# Sets `binary` to what it built. Not for `$(…)`: there a failure would not end the script.
build() {
    checkout=$1
    check_cargo
    target=${CARGO_TARGET_DIR:-$checkout/target}
    case $target in
        /*) ;;
        *) target=$checkout/$target ;;
    esac
    # The folder is given, so that no cargo config can move the binary elsewhere.
    (cd "$checkout" && cargo build --release --locked --target-dir "$target" >&2) ||
        fail "the build failed; see above"
    binary=$target/release/ecr-rewrite
    [ -f "$binary" ] || fail "the build left no \`$binary\`; unset CARGO_BUILD_TARGET if it is set"
}

# The value of a key of the package, as `version = "0.1.0"`; nothing when it has none.
package() { sed -n '/^\[package\]/,/^\[/s/^'"$1"' *= *"\(.*\)"$/\1/p' "$2/Cargo.toml"; }

# The name that releases have for this machine; nothing when there is none.
machine() {
    case $(uname -s)-$(uname -m) in
        Linux-x86_64 | Linux-amd64) say x86_64-unknown-linux-musl ;;
        Linux-aarch64 | Linux-arm64) say aarch64-unknown-linux-musl ;;
        Darwin-arm64) say aarch64-apple-darwin ;;
        Darwin-x86_64) say x86_64-apple-darwin ;;
    esac
}

download() { curl --fail --silent --show-error --location --proto '=https,file' --output "$2" "$1"; }

sum() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum "$1"
    else
        shasum -a 256 "$1"
    fi | cut -d ' ' -f 1
}

# Sets `binary` to the released one below the folder `$2`; returns 1 when there is none for this machine.
# What is there and does not match its checksum ends the script.
release() {
    url=$1
    folder=$2
    target=$(machine)
    [ -n "$target" ] || return 1
    command -v curl >/dev/null 2>&1 || return 1
    archive=ecr-rewrite-$3-$target.tar.gz
    download "$url/SHA256SUMS" "$folder/SHA256SUMS" 2>/dev/null || return 1
    wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$archive\$/\1/p" "$folder/SHA256SUMS")
    [ -n "$wanted" ] || return 1
    download "$url/$archive" "$folder/$archive" || fail "\`$url/$archive\` could not be downloaded; see above"
    found=$(sum "$folder/$archive")
    [ "$found" = "$wanted" ] ||
        fail "\`$archive\` has the checksum $found, and SHA256SUMS says $wanted; nothing was installed"
    tar -xzf "$folder/$archive" -C "$folder" || fail "\`$archive\` could not be unpacked"
    binary=$folder/ecr-rewrite-$3-$target/ecr-rewrite
    [ -f "$binary" ] || fail "\`$archive\` holds no program"
}

# Whether the sources in `$1` may be others than those of the release `$2`: then nobody wants its binary.
is_other() {
    [ -e "$1/.git" ] && command -v git >/dev/null 2>&1 || return 1
    [ "$(git -C "$1" describe --tags --exact-match 2>/dev/null)" != "$2" ]
}

# Copies beside the goal first: whoever runs the program meanwhile has the old one or the new one.
copy() {
    binary=$1
    dir=$2
    temp=$(mktemp "$dir/.ecr-rewrite.XXXXXX") || fail "\`$dir\` cannot be written to"
    if ! { cp "$binary" "$temp" && chmod 755 "$temp" && mv -f "$temp" "$dir/ecr-rewrite"; }; then
        fail "the program could not be copied to \`$dir\`"
    fi
}

main() {
    dir=${HOME:-}/.local/bin
    from=
    way=any
    while [ $# -gt 0 ]; do
        case $1 in
            --to | --from)
                [ $# -ge 2 ] || fail "$1 needs a value; see --help"
                if [ "$1" = --to ]; then dir=$2; else from=$2 way=release; fi
                shift 2
                ;;
            --to=*)
                dir=${1#--to=}
                shift
                ;;
            --from=*)
                from=${1#--from=} way=release
                shift
                ;;
            --build)
                way=build
                shift
                ;;
            -h | --help)
                usage
                exit 0
                ;;
            *) fail "\`$1\` is unknown; see --help" ;;
        esac
    done
    [ -n "$dir" ] && [ "$dir" != /.local/bin ] || fail "HOME is not set; give a folder with --to DIR"
    checkout=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    [ -f "$checkout/Cargo.toml" ] || fail "there is no Cargo.toml beside install.sh; run it from a checkout"
    check_dir "$dir"
    version=$(package version "$checkout")
    repository=$(package repository "$checkout")
    if [ "$way" = any ] && [ -n "$repository" ] && ! is_other "$checkout" "v$version"; then
        from=$repository/releases/download/v$version
    fi
    temp=
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch" "$temp"' EXIT
    trap 'exit 130' INT TERM
    if [ "$way" = build ] || [ -z "$from" ]; then
        build "$checkout"
    elif release "$from" "$scratch" "$version"; then
        note "took $archive, whose checksum is right"
    elif [ "$way" = release ]; then
        fail "\`$from\` has no release $version for this machine; without --from cargo builds it"
    else
        note "there is no release $version for this machine; building it"
        build "$checkout"
    fi
    copy "$binary" "$dir"
    "$dir/ecr-rewrite" --version
    case ":${PATH}:" in
        *":$dir:"* | *":$(CDPATH='' cd -- "$dir" && pwd):"*) ;;
        *) say "note: $dir is not on your PATH" ;;
    esac
    say "try: $dir/ecr-rewrite testdata/demo/environments --dry-run"
}

main "$@"
