"""The REST API for pipelines: routes under ``/api`` of the web door."""

from x121lib.api.router import make_router

__all__ = ["make_router"]
