"""A studio of fixed figures, for the component catalogue and for tests of the web door itself."""

from __future__ import annotations

from .studio import SampleStudio

__all__ = ["SampleStudio"]
