"""The engine's input, output and temp folders, and the rules that keep every path inside them."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import shutil
import time
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from x121lib.comfyui.engine.errors import UnsafePathError

FOLDER_TYPES = ("input", "output", "temp")
MODEL_FOLDERS = (
    "checkpoints",
    "loras",
    "vae",
    "text_encoders",
    "diffusion_models",
    "clip_vision",
    "controlnet",
    "embeddings",
    "upscale_models",
)


class SavePath(NamedTuple):
    """Where a save node writes next: ``folder / f"{name}_{counter:05}_.ext"``."""

    folder: Path
    name: str
    counter: int
    subfolder: str

    def file(self, suffix: str, number: int | None = None) -> Path:
        """Return the path for a counter (default: the first free one) and a suffix such as ``.png``."""
        return self.folder / f"{self.name}_{self.counter if number is None else number:05}_{suffix}"


class Folders:
    """The three folders below one root; temp is emptied when the engine starts."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        for kind in FOLDER_TYPES:
            if kind == "temp":
                shutil.rmtree(self.root / kind, ignore_errors=True)
            (self.root / kind).mkdir(parents=True, exist_ok=True)

    def of(self, kind: str) -> Path:
        """Return the folder of a type.

        Raises:
            UnsafePathError: the type is not input, output or temp.
        """
        if kind not in FOLDER_TYPES:
            raise UnsafePathError(f"There is no folder type {kind!r}.")
        return self.root / kind

    def inside(self, base: Path, *parts: str) -> Path:
        """Join and resolve a path that must stay inside ``base``, symbolic links included.

        Raises:
            UnsafePathError: it does not, or holds a null byte.
        """
        if any("\0" in part for part in parts):
            raise UnsafePathError("A name holds a null byte.")
        path = Path(os.path.realpath(base.joinpath(*parts)))
        if path != base and base not in path.parents:
            raise UnsafePathError("The path lies outside its folder.")
        return path

    def annotated(self, name: str, default: str = "input") -> tuple[str, Path]:
        """Split ``"name [output]"`` into the bare name and the folder that it names."""
        for kind in FOLDER_TYPES:
            if name.endswith(f"[{kind}]"):
                return name[: -len(kind) - 2].rstrip(" "), self.of(kind)
        return name, self.of(default)

    def source(self, name: str) -> Path:
        """Return the path of a file that a node may read; see `inside` for the error."""
        bare, base = self.annotated(name)
        return self.inside(base, bare)

    def has_source(self, name: str) -> bool:
        """Say whether a node's input file exists inside its folder."""
        try:
            return bool(name) and self.source(name).is_file()
        except UnsafePathError:
            return False

    def source_names(self, media: str) -> list[str]:
        """List the top-level input files whose type by suffix is ``media`` (image or video), sorted."""
        names = (entry.name for entry in os.scandir(self.of("input")) if entry.is_file())
        return sorted(name for name in names if (mimetypes.guess_type(name)[0] or "").startswith(media + "/"))

    def next_save(self, prefix: str, kind: str, size: tuple[int, int]) -> SavePath:
        """Return where the next file of a prefix goes; makes the subfolder.

        ``%width% %height% %year% %month% %day% %hour% %minute% %second%`` are replaced; the counter is one above the
        highest existing one.

        Raises:
            UnsafePathError: the prefix leaves the folder.
        """
        prefix = os.path.normpath(_fill(prefix, size))
        subfolder, name = os.path.split(prefix)
        base = self.of(kind)
        folder = self.inside(base, subfolder)
        if os.path.isabs(prefix) or name in {"", ".", ".."}:
            raise UnsafePathError(f"The prefix {prefix!r} does not name a file inside the {kind} folder.")
        folder.mkdir(parents=True, exist_ok=True)
        pattern = re.compile(re.escape(name) + r"_(\d+)(?:_|$)")
        found = (pattern.match(Path(entry).stem) for entry in os.listdir(folder))
        return SavePath(
            folder,
            name,
            max((int(match[1]) for match in found if match), default=0) + 1,
            subfolder,
        )

    def upload(self, file: BufferedReader, name: str, subfolder: str, kind: str, *, overwrite: bool) -> str:
        """Store an uploaded file and return the name under which it lies.

        Same name and same bytes: that name. Same name, other bytes: ``name (1).png``, unless ``overwrite``.

        Raises:
            UnsafePathError: the name or subfolder leaves the folder.
        """
        base = self.of(kind)
        folder = self.inside(base, os.path.normpath(subfolder or "."))
        if name in {".", ".."} or os.path.basename(name) != name:
            raise UnsafePathError("The file name holds a path.")
        folder.mkdir(parents=True, exist_ok=True)
        path, stem, suffix, number = (
            self.inside(base, str(folder), name),
            *os.path.splitext(name),
            1,
        )
        while path.exists() and not overwrite:
            if _digest(path) == _digest_of(file):
                return name
            name, number = f"{stem} ({number}){suffix}", number + 1
            path = self.inside(base, str(folder), name)
        part = path.with_name(f".{path.name}.part")
        file.seek(0)
        with open(part, "wb") as target:
            shutil.copyfileobj(file, target)
        os.replace(part, path)
        return name


def _fill(prefix: str, size: tuple[int, int]) -> str:
    if "%" not in prefix:
        return prefix
    now = time.localtime()
    values = {
        "width": size[0],
        "height": size[1],
        "year": now.tm_year,
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    return re.sub("%(" + "|".join(values) + ")%", lambda match: str(values[match[1]]), prefix)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return _digest_of(file)


def _digest_of(file: BufferedReader) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()
