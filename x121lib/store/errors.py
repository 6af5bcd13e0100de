"""What can go wrong with the database server and with stored files."""

from __future__ import annotations

import errno
from pathlib import Path

from x121lib.base.errors import ConflictError, NotFoundError, X121Error

_OWN_SERVER = "Set X121_DATABASE_URL to a PostgreSQL of version 16 or newer that has the pgvector extension."


class StoreError(X121Error):
    """The base of every error of this room that has no better base."""

    code = "store.error"


class NoEmbeddedBuildError(StoreError):
    """No PostgreSQL build is bundled for this machine, or it cannot run here."""

    code = "store.no_embedded_build"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The embedded database cannot run here: {reason}.", hint=_OWN_SERVER)


class NoServerUserError(StoreError):
    """X121 runs as root and no unprivileged system user exists for the database server."""

    code = "store.no_server_user"


class ServerStartError(StoreError):
    """The database server or its first set-up ended with an error; the message has the end of its log."""

    code = "store.server_start"


class ServerBusyError(StoreError):
    """Another process kept the database server's lock for too long."""

    code = "store.server_busy"
    retryable = True


class DatabaseFolderError(ConflictError):
    """The database folder that X121_HOME names is gone, belongs to another home or to another user."""

    code = "store.database_folder"


class BackupError(StoreError):
    """A dump or a restore failed; the target is as it was before."""

    code = "store.backup_failed"


FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Numbers of an `OSError` that say so."""


class DiskFullError(StoreError):
    """The disk (or a quota, or a limit on file sizes) has no room; nothing was left behind.

    Attributes:
        folder: where the file should have gone.
        needed_bytes: bytes that were to be written and found no room.
    """

    code = "store.disk_full"
    retryable = True

    def __init__(self, folder: Path, needed_bytes: int) -> None:
        super().__init__(
            f"No room in {folder}: {needed_bytes} bytes could not be stored; nothing was left behind.",
            hint="Free space on that disk, then try again.",
        )
        self.folder = folder
        self.needed_bytes = needed_bytes


class MissingArtifactError(NotFoundError):
    """No file with this hash is stored."""

    code = "store.artifact_missing"


class AlteredArtifactError(StoreError):
    """A stored file's bytes no longer match its hash."""

    code = "store.artifact_altered"
