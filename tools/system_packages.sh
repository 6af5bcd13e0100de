#!/usr/bin/env bash
# Install the system packages that X121's product or tests need, where root; else name the missing ones in a line.
set -eu -o pipefail

missing=()
wants() { missing+=("$1"); }

has_library() { .venv/bin/python -c "import ctypes; ctypes.CDLL('$1')" 2>/dev/null; }

# OpenCV's wheel links against these two; slim images lack them.
if [ "$(uname -s)" = Linux ]; then
    has_library libGL.so.1 || wants libgl1
    has_library libglib-2.0.so.0 || wants libglib2.0-0
fi
if [ "${1:-product}" = tests ]; then
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || wants chromium
    command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || wants ffmpeg
fi
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing system packages: ${missing[*]}" >&2
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    export DEBIAN_FRONTEND=noninteractive
    if { apt-get -qq -o Acquire::Retries=3 update &&
        apt-get -qq -y -o Acquire::Retries=3 install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        exit 0
    fi
    tail -n 5 "$log" >&2
fi
echo "Missing system packages: ${missing[*]} (Debian: apt-get install ${missing[*]})" >&2
