#!/usr/bin/env bash
# Packs a built program as a release has it: `package.sh PROGRAM TARGET FOLDER` leaves
# FOLDER/ecr-rewrite-VERSION-TARGET.tar.gz (.zip for Windows) with the program, its completions, its man pages,
# the schemas, the licences and the README. The program has to run here, since it prints what stands beside it.
set -euo pipefail

program=$1
target=$2
folder=$(mkdir -p "$3" && cd "$3" && pwd)
checkout=$(cd "$(dirname "$0")/../.." && pwd)

version=$("$program" --version | tr -d '\r' | cut -d ' ' -f 2)
name=ecr-rewrite-$version-$target
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
to=$scratch/$name
mkdir -p "$to/completions" "$to/man" "$to/schemas"

cp "$program" "$to/"
for licence in LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md; do cp "$checkout/$licence" "$to/"; done
"$program" generate completions bash >"$to/completions/ecr-rewrite.bash"
"$program" generate completions zsh >"$to/completions/_ecr-rewrite"
"$program" generate completions fish >"$to/completions/ecr-rewrite.fish"
"$program" generate completions powershell >"$to/completions/_ecr-rewrite.ps1"
"$program" generate man >"$to/man/ecr-rewrite.1"
for command in convert images explain rules prove init; do
    "$program" generate man "$command" >"$to/man/ecr-rewrite-$command.1"
done
for of in config report images prove rules; do
    "$program" generate schema "$of" >"$to/schemas/$of.schema.json"
done

case $target in
    *windows*) (cd "$scratch" && 7z a -bso0 "$folder/$name.zip" "$name") ;;
    *) tar -czf "$folder/$name.tar.gz" -C "$scratch" "$name" ;;
esac
