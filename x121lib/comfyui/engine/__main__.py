"""``python -m x121lib.comfyui.engine``: the local engine as a process."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from x121lib.base.process import die_with_parent
from x121lib.comfyui.engine.engine import Engine, EngineOptions
from x121lib.comfyui.engine.running import serve, write_port


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    die_with_parent()
    given = _arguments()
    engine = Engine(given.root, EngineOptions(given.cache_mb << 20, given.max_upload_size << 20))

    def ready(port: int, _stop: Callable[[], None]) -> None:
        if given.port_file is not None:
            write_port(given.port_file, port)
        sys.stdout.write(f"listening on http://{given.host}:{port}\n")
        sys.stdout.flush()

    asyncio.run(serve(engine, given.host, given.port, ready, signals=True))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="x121lib.comfyui.engine",
        description="The local ComfyUI-compatible engine.",
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of input, output and temp")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: this machine only)",
    )
    parser.add_argument("--port", type=int, default=8188, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="file to write the port to")
    parser.add_argument(
        "--cache-mb",
        type=int,
        default=128,
        help="memory for results of earlier prompts",
    )
    parser.add_argument("--max-upload-size", type=int, default=100, help="largest request in MB")
    return parser.parse_args()


if __name__ == "__main__":
    main()
