"""What a node class is: its inputs and outputs as ComfyUI names them, and the function that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from x121lib.comfyui.engine.folders import Folders
from x121lib.comfyui.engine.images import Frames, Image

InputSpec = tuple[Any, ...]
"""``(type,)`` or ``(type, options)``; a combo's type is its list of options, or ``"COMBO"`` with ``options``."""

Inputs = Mapping[str, Any]
MAX_RESOLUTION = 16384
HIDDEN_META: Mapping[str, Any] = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}


class NodeResult(NamedTuple):
    """A node's output values by slot, and what an output node shows (None where it shows nothing)."""

    values: tuple[Any, ...] = ()
    ui: dict[str, Any] | None = None


class NodeRun(Protocol):
    """What a running node may use."""

    @property
    def folders(self) -> Folders:
        """The engine's folders."""
        ...

    @property
    def metadata(self) -> dict[str, Any]:
        """The prompt (key ``prompt``) and the entries of ``extra_pnginfo``, to be written into saved files."""
        ...

    def step(self, done: int, total: int, preview: Image | None = None) -> None:
        """Report that ``done`` of ``total`` frames are ready; raises `ExecutionInterrupted` when asked to stop."""
        ...

    def each(self, frames: Frames, function: Callable[[Image], Image]) -> Frames:
        """Apply a pure function to every frame, once for each distinct one, with a `step` after each."""
        ...


@dataclass(frozen=True)
class NodeSpec:
    """A node class.

    Attributes:
        name: the class name in a prompt (``class_type``).
        display_name: the title in a graph editor.
        category: the menu path.
        module: ComfyUI's module, reported as ``python_module``.
        run: the work; gets declared inputs only.
        required: required inputs.
        optional: optional inputs.
        outputs: (type, name) of each slot.
        output_node: whether it ends a graph.
        hidden: hidden inputs as ``object_info`` reports them.
        files: combo inputs that list the top-level input files of a kind (``image`` or ``video``).
        check: input name -> function of (folders, value) that returns what is wrong, or None.
        fingerprint: what else than its inputs decides the result, such as a file's content.
        description: one sentence for ``object_info``.
        v3: whether ComfyUI defines it by its newer schema, which shapes ``object_info``.
        experimental: as ComfyUI marks it.
    """

    name: str
    display_name: str
    category: str
    module: str
    run: Callable[[NodeRun, Inputs], NodeResult]
    required: Mapping[str, InputSpec]
    optional: Mapping[str, InputSpec] = field(default_factory=dict)
    outputs: tuple[tuple[str, str], ...] = ()
    output_node: bool = False
    hidden: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    check: Mapping[str, Callable[[Folders, Any], str | None]] = field(default_factory=dict)
    fingerprint: Callable[[Folders, Inputs], str | float] | None = None
    description: str = ""
    v3: bool = False
    experimental: bool = False

    @property
    def return_types(self) -> tuple[str, ...]:
        """The type of each output slot."""
        return tuple(kind for kind, _ in self.outputs)

    @property
    def declared(self) -> dict[str, InputSpec]:
        """Required and optional inputs together; combos of files are empty here."""
        return {**self.required, **self.optional}

    def info(self, folders: Folders) -> dict[str, Any]:
        """Return the class as ``/object_info`` reports it."""
        groups: dict[str, Mapping[str, Any]] = {"required": self._listed(folders)}
        if self.optional:
            groups["optional"] = self.optional
        if self.hidden:
            groups["hidden"] = {key: [value] for key, value in self.hidden.items()} if self.v3 else self.hidden
        return {
            "input": groups,
            "input_order": {group: list(values) for group, values in groups.items()},
            "is_input_list": False,
            "output": list(self.return_types),
            "output_is_list": [False] * len(self.outputs),
            "output_name": [name for _, name in self.outputs],
            "name": self.name,
            "display_name": self.display_name,
            "description": self.description,
            "python_module": self.module,
            "category": self.category,
            "output_node": self.output_node,
            "deprecated": False,
            "experimental": self.experimental,
            "api_node": False,
        }

    def _listed(self, folders: Folders) -> dict[str, InputSpec]:
        listed = dict(self.required)
        for name, media in self.files.items():
            kind, options = listed[name]
            names = folders.source_names(media)
            listed[name] = (names, options) if isinstance(kind, list) else (kind, {**options, "options": names})
        return listed


def combo_options(spec: InputSpec) -> list[Any] | None:
    """Return a combo's options, or None where the input is no combo."""
    if isinstance(spec[0], list):
        return spec[0]
    if spec[0] == "COMBO" and len(spec) > 1:
        return list(spec[1].get("options", []))
    return None
