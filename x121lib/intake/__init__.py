"""Intake: source images and their checks, identity, import, variants."""
