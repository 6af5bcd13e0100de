"""What can go wrong with a download."""

from __future__ import annotations

from x121lib.base.errors import X121Error


class DownloadError(X121Error):
    """A download can not go on: the message says what happened and the hint what to do."""

    code = "models.download"


class InterruptedTransferError(DownloadError):
    """The connection broke, or the server is busy: what was received stays, and the transfer goes on from there."""

    code = "models.download_interrupted"
    retryable = True


class UnverifiedError(DownloadError):
    """What was received is not what was promised: another length or another hash. It is not kept."""

    code = "models.download_unverified"
