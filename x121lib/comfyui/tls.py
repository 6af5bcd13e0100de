"""Which TLS certificates of servers are trusted: those that this machine's own store of authorities vouches for."""

from __future__ import annotations

import functools
import ssl

_TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain http, where nothing is checked; making it costs nothing."""


def tls_context(url: str) -> ssl.SSLContext:
    """Return what checks a server's certificate, made once: reading all authorities takes some 60 ms.

    The system's store counts (and ``SSL_CERT_FILE``), so that a studio's own authority can be added in one place.
    """
    return _trusting_the_system() if url.startswith(("https:", "wss:")) else _TRUSTING_NOBODY


@functools.cache
def _trusting_the_system() -> ssl.SSLContext:
    return ssl.create_default_context()


def is_certificate_error(error: BaseException | None) -> bool:
    """Tell whether a certificate was refused, however deep in the chain of causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
