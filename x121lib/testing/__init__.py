"""Fakes, factories and synthetic media: for tests only."""
