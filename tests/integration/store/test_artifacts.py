"""Stored files: whole or not there, never altered unnoticed."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from x121lib.base.errors import InvalidInputError
from x121lib.store.artifacts import ArtifactStore, ProblemKind
from x121lib.store.errors import AlteredArtifactError, DiskFullError, MissingArtifactError

_WRITER = """
import sys
from pathlib import Path
from x121lib.store.artifacts import ArtifactStore
with ArtifactStore(Path(sys.argv[1])).writer() as writer:
    writer.write(b"x" * 100_000)
    print("half", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    """An empty store in ``tmp_path / "artifacts"``."""
    return ArtifactStore(tmp_path / "artifacts")


def _files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]


def _alter(store: ArtifactStore, sha256: str) -> None:
    path = store.path(sha256)
    path.chmod(0o644)
    path.write_bytes(b"other")


def test_bytes_lie_under_their_hash_and_are_read_only(store: ArtifactStore, tmp_path: Path) -> None:
    stored = store.put_bytes(b"portrait")
    sha256 = hashlib.sha256(b"portrait").hexdigest()
    assert (stored.sha256, stored.n_bytes) == (sha256, 8)
    path = tmp_path / "artifacts" / sha256[:2] / sha256[2:4] / sha256
    assert store.path(sha256) == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    with store.open_verified(sha256) as file:
        assert file.read() == b"portrait"
    assert store.put_bytes(b"portrait") == stored
    assert list(store.iter_hashes()) == [sha256]
    assert _files(tmp_path) == [path]


@pytest.mark.parametrize("move", [True, False])
def test_a_file_is_copied_or_moved(store: ArtifactStore, tmp_path: Path, move: bool) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(b"p" * 3_000_000)
    inode = source.stat().st_ino
    stored = store.put_file(source, move=move)
    assert store.path(stored.sha256).read_bytes() == b"p" * 3_000_000
    assert source.exists() is not move
    assert (store.path(stored.sha256).stat().st_ino == inode) is move  # moved without a copy
    assert len(_files(tmp_path)) == 1


def test_a_source_with_another_name_is_not_shared_with_it(store: ArtifactStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    os.link(source, tmp_path / "other")
    stored = store.put_file(source, move=True)
    (tmp_path / "other").write_bytes(b"two")
    assert store.verify(stored.sha256) is None
    assert not source.exists()


def test_a_writer_stores_what_another_library_wrote(store: ArtifactStore, tmp_path: Path) -> None:
    with store.writer() as writer:
        writer.path.write_bytes(b"muxed")
        with pytest.raises(InvalidInputError):
            _ = writer.stored
    assert writer.stored.sha256 == hashlib.sha256(b"muxed").hexdigest()
    assert writer.stored.n_bytes == 5


def _write_half(store: ArtifactStore) -> None:
    with store.writer() as writer:
        writer.write(b"half")
        raise RuntimeError("cancelled")


def test_an_error_in_the_writer_leaves_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cancelled"):
        _write_half(store)
    assert _files(tmp_path) == []


def test_a_killed_writer_leaves_nothing_visible_and_is_swept(store: ArtifactStore, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "artifacts")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        assert store.sweep_temporary() == 0  # a living writer is not touched
        assert len(_files(tmp_path)) == 1
        process.kill()
        process.wait()
    assert list(store.iter_hashes()) == []
    assert store.sweep_temporary() == 1
    assert _files(tmp_path) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let this process write no file beyond 100,000 bytes: the kernel refuses as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_limit_is_one_clear_error_and_leaves_nothing(store: ArtifactStore, tmp_path: Path, small_files: None) -> None:
    with pytest.raises(DiskFullError, match=r"artifacts: 200000 bytes could not be stored") as caught:
        store.put_bytes(b"x" * 200_000)
    assert caught.value.needed_bytes == 200_000
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EFBIG
    assert _files(tmp_path) == []
    assert store.put_bytes(b"x" * 50_000).n_bytes == 50_000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a tiny disk")
def test_a_full_disk_is_one_clear_error_and_keeps_the_source(store: ArtifactStore, tmp_path: Path) -> None:
    root = tmp_path / "artifacts"
    root.mkdir()
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_000))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "x121", str(root)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine allows no mount")
    try:
        small = store.put_bytes(b"small")
        with pytest.raises(DiskFullError, match="3000000 bytes could not be stored"):
            store.put_file(source, move=True)  # another disk: a move copies
        assert source.stat().st_size == 3_000_000
        assert list(store.iter_hashes()) == [small.sha256]
        assert [path.name for path in _files(tmp_path)] == [small.sha256]
    finally:
        subprocess.run(["umount", str(root)], check=True)


def test_an_altered_file_is_found_and_healed_by_storing_it_again(store: ArtifactStore) -> None:
    stored = store.put_bytes(b"original")
    assert store.verify(stored.sha256) is None
    _alter(store, stored.sha256)
    with pytest.raises(AlteredArtifactError, match="was changed"):
        store.open_verified(stored.sha256)
    problem = store.verify(stored.sha256)
    assert problem is not None
    assert problem.kind is ProblemKind.ALTERED
    store.put_bytes(b"original")
    assert store.verify(stored.sha256) is None


def test_moving_heals_an_altered_file_too(store: ArtifactStore, tmp_path: Path) -> None:
    stored = store.put_bytes(b"original")
    _alter(store, stored.sha256)
    (tmp_path / "source").write_bytes(b"original")
    store.put_file(tmp_path / "source", move=True)
    assert store.verify(stored.sha256) is None


def test_a_missing_file_is_found(store: ArtifactStore) -> None:
    stored = store.put_bytes(b"gone")
    store.delete(stored.sha256)
    store.delete(stored.sha256)
    with pytest.raises(MissingArtifactError):
        store.path(stored.sha256)
    problem = store.verify(stored.sha256)
    assert problem is not None
    assert problem.kind is ProblemKind.MISSING


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "", "../" * 21 + "a"])
def test_a_name_that_is_no_hash_is_refused(store: ArtifactStore, name: str) -> None:
    for use in (store.path, store.delete, store.verify, store.open_verified):
        with pytest.raises(InvalidInputError):
            use(name)
