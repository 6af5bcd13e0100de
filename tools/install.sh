#!/usr/bin/env bash
# Install X121 (and extras) into a virtual environment, once: install.sh VENV REQUIREMENT
set -eu -o pipefail

venv=$1
requirement=$2
stamp=$venv/.installed
case $requirement in *dev*) stamp=$venv/.installed-dev ;; esac

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            command -v "$candidate"
            return
        fi
    done
    echo "X121 needs CPython 3.11 or later, and found none. Install python3.11, or name one: make PYTHON=/path/to/python3" >&2
    return 1
}

# An environment that works is kept, whoever made it. One that was moved or copied with its folder has scripts that
# start the Python of the old place, and one whose Python is gone starts nothing: such a one is made anew.
works() {
    local first
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    first=$(head -n 1 "$venv/bin/pip" 2>/dev/null) || return 1
    case $first in
        "#!$PWD/$venv/bin/"* | "#!/bin/sh"*) return 0 ;;
        *) return 1 ;;
    esac
}

if ! works; then
    if [ -e "$venv" ]; then
        [ -f "$venv/pyvenv.cfg" ] || {
            echo "$PWD/$venv is no virtual environment: move it away, then try again." >&2
            exit 1
        }
        echo "The environment in $venv does not work here (moved, or its Python is gone): making it anew." >&2
        rm -rf "$venv"
    fi
    python=$(find_python)
    "$python" -m venv "$venv" || {
        rm -rf "$venv"
        echo "Python's venv module is incomplete: install it (Debian: apt-get install python3-venv), then try again." >&2
        exit 1
    }
fi

echo "Installing X121 (${requirement}) into ${venv}; the first time takes a few minutes." >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for attempt in 1 2 3; do
    if "$venv/bin/python" -m pip install -qq --disable-pip-version-check --retries 5 --timeout 60 -e "$requirement" 2>"$log"; then
        touch "$stamp"
        exit 0
    fi
    # Only what another try may mend is tried again.
    grep -qiE 'timed out|connection|temporary failure|reset by peer|incompleteread|broken pipe|hashes? mismatch' "$log" || break
    [ "$attempt" = 3 ] || {
        echo "The network failed (attempt $attempt of 3); trying again." >&2
        sleep $((attempt * 5))
    }
done
cat "$log" >&2
echo "X121 could not be installed; the reason stands above." >&2
exit 1
