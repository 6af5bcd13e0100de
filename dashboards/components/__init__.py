"""Shared pieces of the pages: one Panel component and the scripts in ``js``."""
