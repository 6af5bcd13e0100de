"""Import of workflows from files, folders, servers and bodies, as the façade offers it."""

from __future__ import annotations

import asyncio
import functools
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd

from x121lib.base.errors import ConflictError, InvalidInputError, X121Error
from x121lib.catalogue import importing
from x121lib.catalogue.importing import Imported
from x121lib.comfyui.graph import LARGEST_FILE_BYTES
from x121lib.comfyui.library import list_saved, read_saved
from x121lib.scheduling import workers
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

Describe = Callable[[], Mapping[str, Any]]
MOST_FILES = 2000
"""Files of one import."""
_LONGEST_NAME = 200


@dataclass(frozen=True)
class FileResult:
    """What became of one file."""

    file: str
    """The file."""
    workflow: str
    """The workflow that it is, empty where it was refused."""
    version: int | None
    """Its version, None where it was refused."""
    result: str
    """``imported``, ``unchanged`` or ``refused``."""
    reason: str
    """Why it was refused, or which slots of the version before are lost."""


class WorkflowImports:
    """Imports; each file by itself: one that is refused changes nothing and stops no other."""

    _studio: Studio

    def import_file(
        self, path: Path | str, *, name: str | None = None, repeats_seed_frame: bool = False,
        describe: Describe | None = None,
    ) -> Imported:  # fmt: skip
        """Import a workflow in ComfyUI's API or editor form; says which slots of the version before are lost.

        The editor's form is converted by what the workers that are online say of their node classes.

        Args:
            path: the file.
            name: the workflow's name; default: the file's.
            repeats_seed_frame: whether its video's first frame is the seed frame again.
            describe: what says the node classes, where the workers shall not be asked.

        Raises:
            UiFormatError: it is in the editor's form and no worker is online.
            GraphError: it is no sound graph, or has nodes that cannot be converted.
        """
        self._studio.actor.require(Permission.MANAGE_RECIPES)
        path = Path(path)
        if name is not None and name != path.stem:
            with tempfile.TemporaryDirectory(prefix="x121-") as folder:
                renamed = Path(folder) / f"{_checked_name(name)}.json"
                renamed.write_bytes(_content(path))
                return self.import_file(renamed, repeats_seed_frame=repeats_seed_frame, describe=describe)

        def load(object_info: Mapping[str, Any] | None) -> Imported:
            with self._studio.transaction() as session:
                return importing.import_workflow(
                    session, self._studio.actor, path, repeats_seed_frame=repeats_seed_frame, object_info=object_info
                )

        return self._studio.converting(load, describe)

    def import_body(self, name: str, body: Any, *, repeats_seed_frame: bool = False) -> Imported:
        """Import a workflow given as JSON (a parsed value, or bytes); see `import_file`."""
        self._studio.actor.require(Permission.MANAGE_RECIPES)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._store(name, content, repeats_seed_frame=repeats_seed_frame)

    def import_folder(self, folder: Path | str, *, repeats_seed_frame: bool = False) -> list[FileResult]:
        """Import every ``.json`` file of a folder, by name; a refused file stops no other.

        Raises:
            InvalidInputError: it is no folder, or has no such file, or more than `MOST_FILES`.
        """
        self._studio.actor.require(Permission.MANAGE_RECIPES)
        folder = Path(folder)
        if not folder.is_dir():
            raise InvalidInputError(f"{folder} is no folder.")
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json" and path.is_file())
        if not files or len(files) > MOST_FILES:
            raise InvalidInputError(
                f"{folder} has {len(files)} .json files; 1 to {MOST_FILES} can be imported at once."
            )
        describe = functools.cache(self._studio.workers.describe_classes)
        return [
            _result(path.name, lambda path=path: self.import_file(  # type: ignore[misc]
                path, repeats_seed_frame=repeats_seed_frame, describe=describe))
            for path in files
        ]  # fmt: skip

    def worker_files(self, worker: str) -> pd.DataFrame:
        """Return one row per workflow that people saved on a worker's ComfyUI: file and size in bytes."""
        saved = asyncio.run(list_saved(self._url_of(worker)))
        return pd.DataFrame([(item.path, item.n_bytes) for item in saved], columns=["file", "n_bytes"])

    def import_from_worker(
        self, worker: str, files: Sequence[str] = (), *, repeats_seed_frame: bool = False
    ) -> list[FileResult]:
        """Import workflows that people saved on a worker's ComfyUI (default: all); a refused one stops no other.

        A file is named after its last part; the second of two with that name is refused.
        """
        url = self._url_of(worker)
        chosen = list(files) or [item.path for item in asyncio.run(list_saved(url))][:MOST_FILES]
        describe = functools.cache(self._studio.workers.describe_classes)
        taken: dict[str, str] = {}

        def pull(path: str) -> Imported:
            name = PurePosixPath(path).stem
            if name in taken:
                raise ConflictError(
                    f"{taken[name]} has the same name.", hint="Import it by itself with --file and --name."
                )
            content = asyncio.run(read_saved(url, path))
            taken[name] = path
            return self._store(name, content, repeats_seed_frame=repeats_seed_frame, describe=describe)

        return [_result(path, lambda path=path: pull(path)) for path in chosen]  # type: ignore[misc]

    def import_worker_file(
        self, worker: str, file: str, *, name: str | None = None, repeats_seed_frame: bool = False
    ) -> Imported:
        """Import one workflow that somebody saved on a worker's ComfyUI, under a name of its own if wanted."""
        content = asyncio.run(read_saved(self._url_of(worker), file))
        return self._store(name or PurePosixPath(file).stem, content, repeats_seed_frame=repeats_seed_frame)

    def _url_of(self, worker: str) -> str:
        self._studio.actor.require(Permission.MANAGE_RECIPES)
        with self._studio.transaction() as session:
            return str(workers.find(session, worker).url)

    def _store(
        self, name: str, content: bytes, *, repeats_seed_frame: bool, describe: Describe | None = None
    ) -> Imported:
        with tempfile.TemporaryDirectory(prefix="x121-") as folder:
            path = Path(folder) / f"{_checked_name(name)}.json"
            path.write_bytes(content)
            return self.import_file(path, repeats_seed_frame=repeats_seed_frame, describe=describe)


def _result(file: str, load: Callable[[], Imported]) -> FileResult:
    try:
        done = load()
    except X121Error as error:
        return FileResult(file, "", None, "refused", str(error))
    return FileResult(file, done.name, done.number, "imported" if done.is_new else "unchanged", " ".join(done.lines))


def _checked_name(name: str) -> str:
    wrong = not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable() or name.startswith(".")
    if wrong or any(letter in name for letter in "/\\:@"):
        raise InvalidInputError(
            f"{name!r} can be no workflow's name.", hint=f"At most {_LONGEST_NAME} characters, none of / \\ : @."
        )
    return name


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise InvalidInputError(f"{path.name} has more than {LARGEST_FILE_BYTES // 1024**2} MB.")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path} can not be read: {error.strerror}.") from error
