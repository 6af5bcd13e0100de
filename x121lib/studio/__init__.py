"""`Studio`: the façade that notebooks, dashboards, jobs, API and command line use."""

from x121lib.base.loading import without_collections

with without_collections():
    from x121lib.studio.core import Studio

__all__ = ["Studio"]
