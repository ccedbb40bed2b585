#!/usr/bin/env bash
# Rewrites, commits what changed and pushes it to the branch of the pull request. Only for branches of this
# repository: a fork's branch is not ours to write.
set -euo pipefail
# shellcheck source=ci/action/common.sh
. "$(dirname "$0")/common.sh"

finish() {
    printf 'committed=%s\n' "$1" >>"$GITHUB_OUTPUT"
    exit "${2:-0}"
}

branch=${GITHUB_HEAD_REF:-${GITHUB_REF_NAME:?}}
if [ -n "${HEAD_REPOSITORY:-}" ] && [ "$HEAD_REPOSITORY" != "$GITHUB_REPOSITORY" ]; then
    say "the pull request comes from a fork; nothing is committed"
    finish false
fi
if [ -n "${HEAD_SHA:-}" ] && [ "$(git rev-parse HEAD)" != "$HEAD_SHA" ]; then
    # Without `ref`, a merge with the target branch is checked out, which is not to be pushed.
    say "the checkout is not the branch of the pull request; give actions/checkout the \`ref\` of docs/ci.md"
    finish false 2
fi
if ! git diff --quiet || ! git diff --cached --quiet; then
    say "there are changes already, which would be committed, too"
    finish false 2
fi

status=0
# shellcheck disable=SC2119 # no options
ecr_rewrite || status=$?
if git diff --quiet; then
    say "nothing to commit"
    finish false "$status"
fi
git -c user.name='github-actions[bot]' \
    -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
    commit --quiet --all --message 'Pull images through Amazon ECR'
if [ -n "${GH_TOKEN:-}" ]; then
    # The token is in no argument, which other processes can see.
    # shellcheck disable=SC2016 # git gives this to a shell of its own
    git -c credential.helper= -c credential.helper='!f() { echo username=x-access-token; echo "password=$GH_TOKEN"; }; f' \
        push --quiet origin "HEAD:refs/heads/$branch"
else
    git push --quiet origin "HEAD:refs/heads/$branch"
fi
say "committed and pushed to $branch"
finish true "$status"
