"""X121: a studio library that turns portraits into long, coherent, reviewed video on ComfyUI.

The whole public surface is `Studio`; every use case hangs off it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from x121lib.studio import Studio

__version__ = "0.1.0"
__all__ = ["Studio", "__version__"]


def __getattr__(name: str) -> Any:
    """Import `Studio` on first use, so that light commands start without the whole house."""
    if name == "Studio":
        from x121lib.studio import Studio  # noqa: PLC0415

        return Studio
    raise AttributeError(f"module 'x121lib' has no attribute {name!r}")
