#!/usr/bin/env bash
# Suggestions on the lines of the pull request, one click each, through reviewdog.
set -euo pipefail
# shellcheck source=ci/action/common.sh
. "$(dirname "$0")/common.sh"

if [ -z "${PULL_REQUEST:-}" ]; then
    say "there is no pull request to suggest anything on"
    exit 0
fi
if ! command -v reviewdog >/dev/null; then
    # The module's sources are checked against Go's checksum database.
    GOBIN=${RUNNER_TEMP:?}/reviewdog go install github.com/reviewdog/reviewdog/cmd/reviewdog@v0.21.2
    PATH=$RUNNER_TEMP/reviewdog:$PATH
fi
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
ecr_rewrite --check --format rdjson -o "$report" || status=$?
is_done "$status" || say "some files could not be read; suggestions for the others follow"
[ -s "$report" ] || exit "$status"
reviewdog -f=rdjson -name=ecr-rewrite -reporter=github-pr-review -filter-mode=diff_context -fail-level=none <"$report"
