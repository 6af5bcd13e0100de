#!/usr/bin/env bash
# Every gate that the code passes before it is committed; all of them run, the status says whether all passed.
set -u

bin=.venv/bin
failed=()
gate() {
    local name=$1 log
    shift
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        echo "ok      $name"
    else
        failed+=("$name")
        cat "$log"
        echo "FAILED  $name"
    fi
    rm -f "$log"
}

gate "ruff check" $bin/ruff check --quiet .
gate "ruff format" $bin/ruff format --check --quiet --diff .
gate "mypy --strict" $bin/mypy --no-error-summary x121lib dashboards jobs tools tests data
gate "import-linter" $bin/lint-imports --no-logo
gate "models equal migrations" $bin/python tools/check_schema.py
gate "third-party notices" $bin/python tools/notices.py --check
gate "tokens.css" $bin/python tools/check_tokens.py

if [ ${#failed[@]} -gt 0 ]; then
    printf 'make check: %d failed:' ${#failed[@]}
    printf ' [%s]' "${failed[@]}"
    echo
    exit 1
fi
echo "make check: all passed"
