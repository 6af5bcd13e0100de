"""What the pages of the web door show and do, one small module per page; plain dicts, no page code."""

from x121lib.studio.pages.people import MediaFile, SessionPerson

__all__ = ["MediaFile", "SessionPerson"]
