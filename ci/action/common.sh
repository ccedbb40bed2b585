# shellcheck shell=bash
# What the steps of the action share: the program, and its arguments from the environment.

# The lines of a text that are not empty, as the array of that name.
read_lines() {
    local -n into=$1
    into=()
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        [ -z "$line" ] || into+=("$line")
    done <<<"$2"
}

declare -a paths arguments
read_lines paths "${PATHS:-.}"
read_lines arguments "${ARGUMENTS:-}"

# Runs the program on the paths with these options.
ecr_rewrite() {
    "${ECR_REWRITE_PROGRAM:-ecr-rewrite}" "$@" "${arguments[@]}" -- "${paths[@]}"
}

# Whether an exit code says that the program did its work, whatever it found.
is_done() { [ "$1" -eq 0 ] || [ "$1" -eq 1 ]; }

# A line of the log that is no command, whatever stands in it: the values of a workflow are not trusted.
say() { printf 'ecr-rewrite: %s\n' "$(printf '%s' "$*" | tr '\r\n' '  ' | sed 's/##/# #/g')"; }

cd -- "${FOLDER:-.}" || exit 2
