"""Workflows in the form that ComfyUI's editor saves, converted to the form that its API runs. Pure."""

from x121lib.comfyui.editor.conversion import convert, is_editor_form

__all__ = ["convert", "is_editor_form"]
