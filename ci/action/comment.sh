#!/usr/bin/env bash
# One comment on the pull request, found by its marker: made when there is something to say, and kept up to
# date from then on. Comments of people that begin with the marker are theirs.
set -euo pipefail
# shellcheck source=ci/action/common.sh
. "$(dirname "$0")/common.sh"

if [ -z "${PULL_REQUEST:-}" ]; then
    say "there is no pull request to comment on"
    exit 0
fi
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
ecr_rewrite --check --format markdown -o "$report" || status=$?
if [ ! -s "$report" ]; then
    say "there is no report to show"
    exit "$status"
fi

comments=repos/$GITHUB_REPOSITORY/issues
# shellcheck disable=SC2016 # the backslashes and quotes are those of jq
found=$(gh api --paginate "$comments/$PULL_REQUEST/comments" \
    --jq '.[] | select(.user.type == "Bot" and (.body | startswith("<!-- ecr-rewrite -->"))) | .id') || {
    say "the comments of the pull request cannot be read; the token needs \`pull-requests: read\`"
    exit 0
}
id=${found%%$'\n'*}
if [ -n "$id" ]; then
    send=(--method PATCH "$comments/comments/$id")
elif [ "$status" -eq 0 ]; then
    say "nothing to comment on"
    exit 0
else
    send=(--method POST "$comments/$PULL_REQUEST/comments")
fi
# A pull request from a fork has a token that cannot write: the report stands in the summary, then.
gh api "${send[@]}" --field "body=@$report" --silent ||
    say "the comment cannot be written; the token needs \`pull-requests: write\`, which forks do not get"
