"""Downloads of models, as the façade offers them: asked for by people, run by the consumer process."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from x121lib import model as m
from x121lib.access import vault
from x121lib.base.errors import InvalidInputError, RefusedError, X121Error
from x121lib.base.ids import new_id
from x121lib.base.log import get_logger
from x121lib.models.downloads import addresses, hops, placement, service, sources, transfer
from x121lib.models.downloads.errors import InterruptedTransferError, UnverifiedError
from x121lib.models.headers import Header, read_header
from x121lib.models.scan import Hashed, Seen, file_hash
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import DownloadStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_log = get_logger(__name__)
TELL_S = 0.5
"""Seconds between two reports of a running download."""
COLUMNS = [
    "path", "status", "received_bytes", "n_bytes", "percent", "bytes_per_s", "eta_s", "sha256", "trouble", "address",
    "model_id", "download_id",
]  # fmt: skip


class Downloads:
    """The queue of downloads: add, list, pause, resume, cancel, and run the next one."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(
        self, address: str, *, sha256: str | None = None, kind: str | None = None, name: str | None = None,
        anyway: bool = False,
    ) -> uuid.UUID:  # fmt: skip
        """Ask the site for the file and queue its download; returns the download's key.

        Raises:
            InvalidInputError: no address, no hash, no kind, or no name of a model file.
            RefusedError: the same file is known, or is being downloaded, or something lies in its place.
            DownloadError: the site does not give it; the hint names a secret to set.
            BadAddressError: it lies on a private address.
        """
        self._studio.actor.require(Permission.MANAGE_RECIPES)
        if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256.strip()):
            raise InvalidInputError("A SHA-256 has 64 hexadecimal digits.", hint="Check --sha256.")
        root = self._studio.models.root()
        meant = addresses.parse(address, self._sites())
        secret = addresses.secret_name(meant)
        source = sources.find(meant, self._sites(), self._rules(), self._token(secret, self._home(meant)), secret)
        source = _with_hash(source, sha256)
        wanted = placement.kind_named(kind) if kind is not None else source.kind
        if wanted is None:
            raise InvalidInputError(
                "The address does not say what kind of model it is.", hint="Add --kind, e.g. loras."
            )
        rules = self._studio.settings.download_folders
        path = placement.place(wanted, name or source.name, source.base_model, rules)
        source = replace(source, name=path.rsplit("/", 1)[-1])
        place = service.Place(wanted, root, path)
        with self._studio.transaction() as session:
            key = service.add(session, self._studio.actor, meant, source, place, even_if_known=anyway)
            if place.target.exists():
                raise RefusedError(f"{place.target} exists already.", hint="Give another --name, or scan the folder.")
            transfer.check_room(root, source.n_bytes or 0, self._reserve())
        return key

    def list(self) -> pd.DataFrame:
        """Return one row per download, the newest first: place, status, bytes, rate, seconds left, trouble."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return pd.DataFrame([_row(row) for row in service.listing(session)], columns=COLUMNS).astype(object)

    def show(self, key: uuid.UUID | str) -> dict[str, Any]:
        """Return one download; raises `NotFoundError`."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return _row(service.find(session, str(key)))

    def pause(self, key: uuid.UUID | str) -> None:
        """Pause a download; what was received stays."""
        self._steer(key, DownloadStatus.PAUSED)

    def resume(self, key: uuid.UUID | str) -> None:
        """Go on with a paused or failed download from where it stands."""
        self._steer(key, DownloadStatus.QUEUED)

    def cancel(self, key: uuid.UUID | str) -> None:
        """End a download and delete what was received."""
        part = self._steer(key, DownloadStatus.CANCELLED)
        part.unlink(missing_ok=True)

    def _steer(self, key: uuid.UUID | str, to: DownloadStatus) -> Path:
        with self._studio.transaction() as session:
            return service.part_of(service.steer(session, self._studio.actor, str(key), to))

    def run_next(self, stop: threading.Event | None = None) -> bool:
        """Run the download that waits longest, to its end; False where none waits.

        A download whose process was killed is taken over once its lease is over, and goes on where it stood.
        """
        stop, owner = stop or threading.Event(), new_id()
        with self._studio.transaction() as session:
            row = service.claim(session, owner, self._studio.house.now())
        if row is None:
            return False
        try:
            self._run(row, owner, stop)
        except transfer.StoppedError:
            with self._studio.transaction() as session:
                service.give_back(session, row.id, owner)
                if service.find(session, str(row.id)).status_id is DownloadStatus.CANCELLED:
                    service.part_of(row).unlink(missing_ok=True)
        except InterruptedTransferError:  # its last run still ends: next time
            with self._studio.transaction() as session:
                service.give_back(session, row.id, owner)
            return False
        except X121Error as error:
            _log.warning("the download of %s failed: %s", row.path, error)
            with self._studio.transaction() as session:
                is_unverified = isinstance(error, UnverifiedError)
                service.fail(session, row.id, owner, str(error), begin_anew=is_unverified)
        return True

    def _run(self, row: m.ModelDownload, owner: uuid.UUID, stop: threading.Event) -> None:
        target = Path(row.root) / row.path
        part = service.part_of(row)
        if not (target.exists() and row.sha256 is not None and not part.exists() and file_hash(target) == row.sha256):
            place = addresses.origin(row.url)
            wanted = transfer.Wanted(
                row.url, part, row.n_bytes, row.sha256, row.etag, row.secret_name, self._reserve(),
            )  # fmt: skip
            teller = _Teller(self._studio, row.id, owner, stop)
            sha256, n_bytes = transfer.fetch(
                wanted, self._rules(), self._token(row.secret_name, place), teller.tell, teller.wait
            )
            with self._studio.transaction() as session:
                if not service.record_hash(session, row.id, owner, sha256, n_bytes):
                    raise transfer.StoppedError
            transfer.put_in_place(part, target)
        status = target.stat()
        header = _header(target, row)
        item = Hashed(Seen(row.path, status.st_size, status.st_mtime_ns), row.sha256 or sha256, header)
        with self._studio.transaction() as session:
            service.complete(session, self._studio.actor, row.id, item, self._studio.house.now())

    def _home(self, meant: addresses.Address) -> tuple[str, str, int]:
        own = {addresses.HUGGINGFACE: self._sites().huggingface, addresses.CIVITAI: self._sites().civitai}
        return addresses.origin(own.get(meant.site, meant.url))

    def _token(self, secret: str | None, place: tuple[str, str, int]) -> hops.Token | None:
        if secret is None:
            return None
        with self._studio.transaction() as session:
            value = vault.find_value(session, self._studio.settings.secrets_dir, secret)
        return hops.Token(value, place) if value is not None else None

    def _sites(self) -> addresses.Sites:
        settings = self._studio.settings
        return addresses.Sites(settings.huggingface_url.rstrip("/"), settings.civitai_url.rstrip("/"))

    def _rules(self) -> hops.Rules:
        settings = self._studio.settings
        return hops.Rules(tuple(settings.download_private_hosts), settings.download_timeout_s)

    def _reserve(self) -> int:
        return self._studio.settings.disk_reserve_mb * 1_000_000


class _Teller:
    """Tells the queue how far a transfer is, and the transfer whether to go on."""

    def __init__(self, studio: Studio, key: uuid.UUID, owner: uuid.UUID, stop: threading.Event) -> None:
        self._studio, self._key, self._owner, self._stop = studio, key, owner, stop
        self._seen: deque[tuple[float, int]] = deque(maxlen=20)
        self._told_at = -TELL_S
        self._last = service.Heard(0, None, 0.0, "")

    def tell(self, done: int, total: int | None, etag: str) -> bool:
        now = time.monotonic()
        if now - self._told_at < TELL_S:
            return not self._stop.is_set()
        self._told_at = now
        self._seen.append((now, done))
        span, n_bytes = now - self._seen[0][0], done - self._seen[0][1]
        self._last = service.Heard(done, total, n_bytes / span if span > 0 else 0.0, etag)
        return self._report() and not self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        return self._stop.wait(seconds) or not self._report()

    def _report(self) -> bool:
        with self._studio.transaction() as session:
            return service.report(session, self._key, self._owner, self._last, self._studio.house.now())


def _with_hash(source: sources.Source, sha256: str | None) -> sources.Source:
    given = sha256.strip().lower() if sha256 is not None else None
    if given is not None and source.sha256 is not None and given != source.sha256:
        raise RefusedError(
            f"The site says that the file's SHA-256 is {source.sha256}, not {given}.", hint="Check --sha256."
        )
    return replace(source, sha256=given or source.sha256)


def _header(target: Path, row: m.ModelDownload) -> Header:
    own = read_header(target)
    words = dict.fromkeys([*own.trigger_words, *filter(None, row.trigger_words.split("\n"))])
    return Header(own.base_model or row.base_model, tuple(words))


def _row(row: m.ModelDownload) -> dict[str, Any]:
    left = row.n_bytes - row.received_bytes if row.n_bytes is not None else None
    is_running = row.status_id is DownloadStatus.RUNNING and row.bytes_per_s > 0
    return {
        "path": row.path, "status": row.status_id.value, "received_bytes": row.received_bytes, "n_bytes": row.n_bytes,
        "percent": round(100 * row.received_bytes / row.n_bytes, 1) if row.n_bytes else None,
        "bytes_per_s": round(row.bytes_per_s), "eta_s": round(left / row.bytes_per_s) if is_running and left else None,
        "sha256": row.sha256, "trouble": row.trouble, "address": row.address, "model_id": row.model_id,
        "download_id": row.id,
    }  # fmt: skip
