#!/usr/bin/env bash
# The gate: annotations, the summary of the step, and an exit code.
set -euo pipefail
# shellcheck source=ci/action/common.sh
. "$(dirname "$0")/common.sh"

ecr_rewrite --check
