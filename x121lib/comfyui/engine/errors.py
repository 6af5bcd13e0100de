"""What can go wrong in the local engine."""

from __future__ import annotations

import av
import cv2

from x121lib.base.errors import InvalidInputError, X121Error


class EngineError(X121Error):
    """The base of the local engine's errors."""

    code = "comfyui.engine"


class ExecutionInterrupted(EngineError):
    """The running prompt was asked to stop."""

    code = "comfyui.engine.interrupted"

    def __init__(self) -> None:
        super().__init__("The prompt was interrupted.")


class NodeError(EngineError):
    """A node cannot work with the inputs it was given; the prompt ends with ``execution_error``."""

    code = "comfyui.engine.node"


class UnsafePathError(InvalidInputError):
    """A name or folder points outside the folder it must stay in."""

    code = "comfyui.engine.unsafe_path"


NODE_FAILURES = (
    X121Error,
    OSError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    MemoryError,
    AttributeError,
    av.FFmpegError,
    cv2.error,
)
"""Everything that a node's own work may raise: it fails one prompt and not the engine."""
