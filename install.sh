#!/bin/sh
# Builds ecr-rewrite from this checkout and installs it. Needs cargo, no root.
# There are no released binaries yet; when there are, this script will prefer one that fits.
#
# Everything is in functions and the last line calls main, so that a cut copy runs nothing.
set -eu

MIN_RUST="1.89"

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

usage() {
    cat <<EOF
Usage: sh install.sh [--to DIR]

Builds ecr-rewrite with cargo and copies it to DIR (default: \$HOME/.local/bin).

  --to DIR   where the program goes
  --help     this text
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

# Copies beside the goal first: whoever runs the program meanwhile has the old one or the new one.
copy() {
    binary=$1
    dir=$2
    temp=$(mktemp "$dir/.ecr-rewrite.XXXXXX") || fail "\`$dir\` cannot be written to"
    trap 'rm -f "$temp"' EXIT
    trap 'exit 130' INT TERM
    cp "$binary" "$temp" && chmod 755 "$temp" && mv -f "$temp" "$dir/ecr-rewrite" ||
        fail "the program could not be copied to \`$dir\`"
    trap - EXIT INT TERM
}

main() {
    dir=${HOME:-}/.local/bin
    while [ $# -gt 0 ]; do
        case $1 in
            --to)
                [ $# -ge 2 ] || fail "--to needs a folder"
                dir=$2
                shift 2
                ;;
            --to=*)
                dir=${1#--to=}
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
    check_cargo
    check_dir "$dir"
    build "$checkout"
    copy "$binary" "$dir"
    "$dir/ecr-rewrite" --version
    case ":${PATH}:" in
        *":$dir:"* | *":$(CDPATH='' cd -- "$dir" && pwd):"*) ;;
        *) say "note: $dir is not on your PATH" ;;
    esac
    say "try: $dir/ecr-rewrite testdata/demo/environments --dry-run"
}

main "$@"
