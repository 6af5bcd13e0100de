"""Colour, type, spacing, fonts and icons: the only place where literal colours may stand."""
