"""What can go wrong with a ComfyUI server, and the one table that maps httpx's errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from x121lib.base.errors import InvalidInputError, X121Error
from x121lib.comfyui.generations import missing_class
from x121lib.comfyui.tls import is_certificate_error


class ComfyError(X121Error):
    """The base of every error of this room."""

    code = "comfyui.error"


class ServerUnreachableError(ComfyError):
    """The server could not be reached, or did not answer in time.

    Attributes:
        may_have_arrived: whether the request may have been carried out although no answer came.
    """

    code = "comfyui.unreachable"
    retryable = True

    def __init__(self, message: str, *, hint: str = "", may_have_arrived: bool = False) -> None:
        super().__init__(message, hint=hint or "Check that the worker runs and that its address is right.")
        self.may_have_arrived = may_have_arrived


class UntrustedCertificateError(ServerUnreachableError):
    """The server's TLS certificate is none that this machine trusts: nothing was sent."""

    code = "comfyui.certificate"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The TLS certificate of {url} is not trusted.",
            hint="Give it one that this machine trusts, add its authority to the system's, or use http.",
        )


class ServerResponseError(ComfyError):
    """The server answered with a status or a body that the protocol does not foresee.

    Attributes:
        status: the HTTP status, 0 where the body was the trouble.
        retryable: true for 502, 503 and 504, which a restarting server or its proxy gives.
    """

    code = "comfyui.bad_response"

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint or "Look at the worker's own log.")
        self.status = status
        self.retryable = status in (502, 503, 504)


class BadAddressError(ComfyError, InvalidInputError):
    """A worker's address that X121 will not talk to."""

    code = "comfyui.bad_address"


class GraphError(ComfyError, InvalidInputError):
    """A workflow graph that is not a valid API-format graph."""

    code = "comfyui.graph_invalid"


class UiFormatError(GraphError):
    """A workflow saved for ComfyUI's editor instead of exported for its API."""

    code = "comfyui.graph_ui_format"


class NotConvertibleError(GraphError):
    """A workflow saved for the editor with nodes that have no API form.

    Attributes:
        problems: one line for each node: its id, title and class, and why.
    """

    code = "comfyui.graph_not_convertible"

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        shown = "; ".join(problems[:50]) + (f"; and {len(problems) - 50} more" if len(problems) > 50 else "")
        super().__init__(
            f"{name} cannot be converted to API format: {shown}.",
            hint="Change these nodes in ComfyUI and save again, or ask a worker that has their classes.",
        )
        self.problems = tuple(problems)


class SlotError(ComfyError, InvalidInputError):
    """A value for a slot that the workflow does not have, or that does not fit it."""

    code = "comfyui.slot"


class InterruptRefusedError(ComfyError):
    """The server is too old to interrupt one prompt alone; a global interrupt could end somebody else's."""

    code = "comfyui.interrupt_refused"


class PromptError(ComfyError):
    """A prompt that did not give its outputs.

    Attributes:
        prompt_id: the prompt that it is about.
    """

    code = "comfyui.prompt"

    def __init__(self, message: str, *, prompt_id: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.prompt_id = prompt_id


class PromptRejectedError(PromptError):
    """The server's validation refused the graph, wholly or in part; nothing of it is kept running.

    Attributes:
        node_errors: the server's ``node_errors``, by node id.
        error_type: the server's ``error.type``, empty where only part of the graph was refused.
        missing_class: the node class that the server lacks, empty for another reason; a server names one at a time.
    """

    code = "comfyui.prompt_rejected"

    def __init__(self, message: str, *, prompt_id: str, node_errors: Mapping[str, Any], error_type: str = "") -> None:
        super().__init__(message, prompt_id=prompt_id, hint="Correct the workflow, its files or the worker's nodes.")
        self.node_errors = dict(node_errors)
        self.error_type = error_type
        self.missing_class = ""


@dataclass(frozen=True)
class NodeFailure:
    """What ``execution_error`` says.

    Attributes:
        node_id: the node that failed.
        node_type: its class.
        exception_type: the Python exception's name.
        exception_message: its text.
        traceback: its traceback's lines, joined.
    """

    node_id: str
    node_type: str
    exception_type: str
    exception_message: str
    traceback: str


class PromptFailedError(PromptError):
    """A node raised an exception while the prompt ran.

    Attributes:
        failure: which node, and what it raised. Its parts are attributes of the error too.
    """

    code = "comfyui.prompt_failed"

    def __init__(self, failure: NodeFailure, *, prompt_id: str) -> None:
        super().__init__(
            f"Node {failure.node_id} ({failure.node_type}) failed: "
            f"{failure.exception_type}: {failure.exception_message.strip()}",
            prompt_id=prompt_id,
            hint="The worker goes on; correct the workflow or its inputs, or try another worker.",
        )
        self.failure = failure
        self.node_id = failure.node_id
        self.node_type = failure.node_type
        self.exception_type = failure.exception_type
        self.exception_message = failure.exception_message
        self.traceback = failure.traceback


class PromptInterruptedError(PromptError):
    """The prompt was cancelled or interrupted, by us or by somebody else."""

    code = "comfyui.prompt_interrupted"
    retryable = True


class PromptLostError(PromptError):
    """The server knows the prompt no more: it was restarted, or somebody deleted the prompt."""

    code = "comfyui.prompt_lost"
    retryable = True


class StalledError(PromptError):
    """The prompt counts as running and nothing moves; only a restart of the worker helps."""

    code = "comfyui.stalled"
    retryable = True


class OutputMissingError(PromptError):
    """The prompt succeeded without the output that was expected of it.

    Attributes:
        cached: whether the file comes from a cached node and is gone; a rerun needs another
            ``filename_prefix`` or ``seed``.
    """

    code = "comfyui.output_missing"

    def __init__(self, message: str, *, prompt_id: str, hint: str = "", cached: bool = False) -> None:
        super().__init__(message, prompt_id=prompt_id, hint=hint)
        self.cached = cached


@dataclass(frozen=True)
class _Meaning:
    """What one httpx error means to us.

    Attributes:
        text: what happened, in words.
        reached: whether the server may have got and obeyed the request.
        transport: whether it is about reaching the server at all (else about the answer or the call).
    """

    text: str
    reached: bool = False
    transport: bool = True


# One row per concrete httpx error. Errors before the request left cannot have been obeyed; after that,
# only a look into /queue and /history can tell.
HTTPX_ERRORS: Mapping[type[Exception], _Meaning] = {
    httpx.ConnectError: _Meaning("refused the connection"),
    httpx.ConnectTimeout: _Meaning("did not accept the connection in time"),
    httpx.PoolTimeout: _Meaning("has no free connection in this process"),
    httpx.ProxyError: _Meaning("cannot be reached through the proxy"),
    httpx.ReadTimeout: _Meaning("did not answer in time", reached=True),
    httpx.WriteTimeout: _Meaning("did not take the request in time", reached=True),
    httpx.TimeoutException: _Meaning("did not answer in time", reached=True),
    httpx.ReadError: _Meaning("broke the connection off", reached=True),
    httpx.WriteError: _Meaning("broke the connection off", reached=True),
    httpx.CloseError: _Meaning("could not close the connection", reached=True),
    httpx.NetworkError: _Meaning("cannot be reached", reached=True),
    httpx.RemoteProtocolError: _Meaning("ended the connection without a complete answer", reached=True),
    httpx.LocalProtocolError: _Meaning("was sent a malformed request", transport=False),
    httpx.ProtocolError: _Meaning("broke the HTTP protocol", reached=True),
    httpx.UnsupportedProtocol: _Meaning("has an address that is not http or https", transport=False),
    httpx.TransportError: _Meaning("cannot be reached", reached=True),
    httpx.DecodingError: _Meaning("gave an answer that cannot be decoded", reached=True, transport=False),
    httpx.TooManyRedirects: _Meaning("redirects for ever", transport=False),
    httpx.RequestError: _Meaning("could not be asked", reached=True),
    httpx.HTTPStatusError: _Meaning("answered with an error status", reached=True, transport=False),
    httpx.HTTPError: _Meaning("could not be asked", reached=True),
    httpx.InvalidURL: _Meaning("has an invalid address", transport=False),
    httpx.CookieConflict: _Meaning("set conflicting cookies", transport=False),
    httpx.StreamConsumed: _Meaning("was asked twice for one stream", transport=False),
    httpx.StreamClosed: _Meaning("was read after the stream was closed", transport=False),
    httpx.ResponseNotRead: _Meaning("gave an answer that was not read", transport=False),
    httpx.RequestNotRead: _Meaning("was sent a stream that cannot be read again", transport=False),
    httpx.StreamError: _Meaning("was read wrongly", transport=False),
}
HTTPX_BASES = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)


def from_httpx(error: Exception, url: str) -> ComfyError:
    """Map one httpx error to ours; an unknown subclass takes the row of its nearest base."""
    if is_certificate_error(error):
        return UntrustedCertificateError(url)
    meaning = next((HTTPX_ERRORS[kind] for kind in type(error).__mro__ if kind in HTTPX_ERRORS), None)
    if meaning is None:
        return ServerResponseError(f"The ComfyUI server at {url} could not be asked: {error!r}.")
    message = f"The ComfyUI server at {url} {meaning.text}."
    if meaning.transport:
        return ServerUnreachableError(message, may_have_arrived=meaning.reached)
    return ServerResponseError(message)


def rejection(prompt_id: str, body: Mapping[str, Any], classes: Mapping[str, str]) -> PromptRejectedError:
    """Build a readable rejection from the server's answer.

    Args:
        prompt_id: the refused prompt.
        body: the answer: ``error`` (may be absent) and ``node_errors``.
        classes: ``class_type`` by node id, for nodes that the answer names by id alone.
    """
    error = body.get("error")
    error = error if isinstance(error, Mapping) else {"message": str(error or "")}
    node_errors = body.get("node_errors")
    node_errors = node_errors if isinstance(node_errors, Mapping) else {}
    lines = [line for node, entry in node_errors.items() for line in _node_lines(str(node), entry, classes)]
    missing = missing_class(error, classes)
    if missing is not None:
        lines = [f"node {missing[0]} ({missing[1]}): this server has no such node class"]
    lines = lines or [_sentence(error)]
    head = "ComfyUI refused the workflow: " if error.get("message") else "ComfyUI would drop a part of the workflow: "
    refused = PromptRejectedError(
        head + "; ".join(lines),
        prompt_id=prompt_id,
        node_errors={str(key): value for key, value in node_errors.items()},
        error_type=str(error.get("type", "")),
    )
    refused.missing_class = missing[1] if missing else ""
    return refused


def _node_lines(node: str, entry: Any, classes: Mapping[str, str]) -> list[str]:
    if not isinstance(entry, Mapping):
        return [f"node {node}: {entry}"]
    name = entry.get("class_type") or classes.get(node, "unknown class")
    return [f"node {node} ({name}): {_sentence(item)}" for item in entry.get("errors") or [{}]]


def _sentence(item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    message, details = str(item.get("message") or "no reason given"), str(item.get("details") or "")
    return f"{message} ({details})" if details and details not in message else message
