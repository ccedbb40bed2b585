#!/usr/bin/env bash
# Finds the program, or builds it from the sources that the action came with, and tells the later steps
# where it is.
set -euo pipefail

program=${PROGRAM:-}
if [ -z "$program" ]; then
    program=$(command -v ecr-rewrite || true)
fi
if [ -z "$program" ]; then
    folder=${RUNNER_TEMP:?}/ecr-rewrite
    CARGO_TARGET_DIR="$folder/target" sh "$GITHUB_ACTION_PATH/install.sh" --build --to "$folder/bin"
    program=$folder/bin/ecr-rewrite
fi
"$program" --version
# A value of several lines would set further variables.
case $program in
    *$'\n'*) echo "ecr-rewrite: the path of the program has several lines" >&2; exit 2 ;;
esac
printf 'ECR_REWRITE_PROGRAM=%s\n' "$program" >>"$GITHUB_ENV"
