#!/usr/bin/env bash
# Every gate that the code passes before it is committed; all of them run, the status says whether all passed.
set -u

bin=.venv/bin
names=() logs=() pids=() failed=()
trap 'kill $(jobs -pr) 2>/dev/null; rm -f "${logs[@]}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# All gates run at once, since the type checker takes as long as all the others and uses one core.
gate() {
    names+=("$1")
    logs+=("$(mktemp)")
    shift
    "$@" >"${logs[-1]}" 2>&1 &
    pids+=($!)
}

gate "mypy --strict" $bin/mypy --no-error-summary x121lib dashboards jobs tools tests data
gate "ruff check" $bin/ruff check --quiet .
gate "ruff format" $bin/ruff format --check --quiet --diff .
gate "import-linter" $bin/lint-imports --no-logo
gate "models equal migrations" $bin/python tools/check_schema.py
gate "third-party notices" $bin/python tools/notices.py --check
gate "tokens.css" $bin/python tools/check_tokens.py

for i in "${!pids[@]}"; do
    if wait "${pids[i]}"; then
        echo "ok      ${names[i]}"
    else
        failed+=("${names[i]}")
        cat "${logs[i]}"
        echo "FAILED  ${names[i]}"
    fi
done

if [ ${#failed[@]} -gt 0 ]; then
    printf 'make check: %d failed:' ${#failed[@]}
    printf ' [%s]' "${failed[@]}"
    echo
    exit 1
fi
echo "make check: all passed"
