"""Secrets that a studio makes for itself: files of mode 0600 in a folder of mode 0700."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def ensure_private_dir(path: Path) -> Path:
    """Create ``path`` with mode 0700 and return it; an existing folder is tightened to 0700."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def read_or_make_secret(folder: Path, name: str, n_bytes: int = 32) -> str:
    """Return the secret ``name``, made on first use (URL-safe text of ``n_bytes`` random bytes).

    Two processes that ask at once get the same one: the file is linked into place complete.
    """
    ensure_private_dir(folder)
    path = folder / name
    if not path.exists():
        temporary = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(n_bytes))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return path.read_text().strip()


def vault(folder: Path) -> Fernet:
    """Return the cipher of the studio's data key: 32 random bytes as URL-safe base64, which Fernet wants padded."""
    return Fernet(read_or_make_secret(folder, "data-key", 32) + "=")
