"""Workflows as ComfyUI's editor saves them, made by hand: the pieces and a shelf of whole ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MUTED = 2
BYPASSED = 4
_SUB = "11111111-1111-4111-8111-111111111111"
_OUTER = "22222222-2222-4222-8222-222222222222"


class Sheet:
    """One graph of an editor's file: the whole file's, or the inside of a subgraph."""

    def __init__(self) -> None:
        self._nodes: dict[int, dict[str, Any]] = {}
        self._links: list[tuple[int, int, int, int, int, str]] = []

    def node(
        self, number: int, class_type: str, inputs: str = "", outputs: str = "", values: Any = None, **more: Any
    ) -> int:
        """Add a node; slots are written ``name:TYPE`` with a ``*`` after the name of a widget's."""
        self._nodes[number] = {
            "id": number, "type": class_type, "pos": [40 * number, 0], "size": [200, 100], "flags": {},
            "order": number, "mode": 0, "inputs": [_slot(text) for text in inputs.split()],
            "outputs": [{**_slot(text), "links": []} for text in outputs.split()],
            "properties": {}, **({} if values is None else {"widgets_values": values}), **more,
        }  # fmt: skip
        return number

    def link(self, origin: int, slot: int, target: int, name: str) -> None:
        """Link an output to a named input; ``-10`` and ``-20`` stand for a subgraph's own slots, by number."""
        number = len(self._links) + 1
        entry, at = None, 0
        if target in self._nodes:
            names = [entry["name"] for entry in self._nodes[target]["inputs"]]
            at = names.index(name)
            entry = self._nodes[target]["inputs"][at]
            entry["link"] = number
        else:
            at = int(name)
        if origin in self._nodes:
            self._nodes[origin]["outputs"][slot]["links"].append(number)
        kind = entry["type"] if entry is not None else self._nodes[origin]["outputs"][slot]["type"]
        self._links.append((number, origin, slot, target, at, kind))

    def file(self, *definitions: Mapping[str, Any], objects: bool = False, **more: Any) -> dict[str, Any]:
        """Return the whole file; ``objects`` writes the links in the newer spelling."""
        return {
            "id": "00000000-0000-4000-8000-000000000000", "revision": 0, "last_node_id": 99, "last_link_id": 99,
            "nodes": list(self._nodes.values()),
            "links": self._objects() if objects else [list(link) for link in self._links],
            "groups": [], "config": {}, "extra": {}, "version": 1 if objects else 0.4,
            "state": {"lastGroupId": 0, "lastNodeId": 99, "lastLinkId": 99, "lastRerouteId": 0},
            **({"definitions": {"subgraphs": list(definitions)}} if definitions else {}), **more,
        }  # fmt: skip

    def subgraph(self, key: str, name: str, inputs: str, outputs: str) -> dict[str, Any]:
        """Return this graph as the definition of a subgraph."""
        return {
            "id": key, "version": 1, "revision": 0, "name": name, "config": {}, "groups": [], "widgets": [],
            "state": {"lastGroupId": 0, "lastNodeId": 99, "lastLinkId": 99, "lastRerouteId": 0},
            "inputNode": {"id": -10, "bounding": [0, 0, 100, 100]},
            "outputNode": {"id": -20, "bounding": [900, 0, 100, 100]},
            "inputs": [self._outer(n, text, (1, 2, -10)) for n, text in enumerate(inputs.split())],
            "outputs": [self._outer(n, text, (3, 4, -20)) for n, text in enumerate(outputs.split())],
            "nodes": list(self._nodes.values()), "links": self._objects(), "extra": {},
        }  # fmt: skip

    def _outer(self, number: int, text: str, where: tuple[int, int, int]) -> dict[str, Any]:
        id_at, slot_at, own = where
        ends = [link[0] for link in self._links if link[id_at] == own and link[slot_at] == number]
        name, kind = text.split(":")
        return {"id": f"3333333{-own}-0000-4000-8000-00000000000{number}", "name": name, "type": kind,
                "linkIds": ends, "pos": [0, 20 * number]}  # fmt: skip

    def _objects(self) -> list[dict[str, Any]]:
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        return [dict(zip(keys, link, strict=True)) for link in self._links]


def _slot(text: str) -> dict[str, Any]:
    name, kind = text.split(":")
    slot = {"name": name.removesuffix("*"), "type": kind, "link": None}
    return {**slot, "widget": {"name": slot["name"]}} if name.endswith("*") else slot


def plain(*, objects: bool = False) -> dict[str, Any]:
    """A picture scaled and saved; notes beside it."""
    sheet = Sheet()
    sheet.node(1, "LoadImage", "", "IMAGE:IMAGE MASK:MASK", ["example.png", "image"], title="seed_image")
    sheet.node(2, "ImageScale", "image:IMAGE", "IMAGE:IMAGE", ["lanczos", 640, 480, "center"])
    sheet.node(3, "SaveImage", "images:IMAGE", "", ["out/%seed_image.image%"])
    sheet.node(4, "Note", values=["remember"])
    sheet.node(5, "MarkdownNote", values=["# remember"])
    sheet.link(1, 0, 2, "image")
    sheet.link(2, 0, 3, "images")
    return sheet.file(objects=objects)


def sampled() -> dict[str, Any]:
    """Text to picture; steps from a primitive, seed from a real node, and a value of the editor's after the seed."""
    sheet = Sheet()
    sheet.node(4, "CheckpointLoaderSimple", "", "MODEL:MODEL CLIP:CLIP VAE:VAE", ["some.safetensors"])
    sheet.node(5, "EmptyLatentImage", "", "LATENT:LATENT", [512, 768, 1])
    sheet.node(6, "CLIPTextEncode", "clip:CLIP", "CONDITIONING:CONDITIONING", ["a \\{real\\} face // not this"])
    sheet.node(7, "CLIPTextEncode", "clip:CLIP", "CONDITIONING:CONDITIONING", ["blurred"], title="negative")
    sampler = "model:MODEL positive:CONDITIONING negative:CONDITIONING latent_image:LATENT seed*:INT steps*:INT"
    sheet.node(3, "KSampler", sampler, "LATENT:LATENT", [8, "randomize", 20, 7.5, "sample_euler", "normal", 0.85])
    sheet.node(8, "VAEDecode", "samples:LATENT vae:VAE", "IMAGE:IMAGE")
    sheet.node(9, "SaveImage", "images:IMAGE", "", ["picture"])
    sheet.node(10, "PrimitiveNode", "", "INT:INT", [31, "fixed"])
    sheet.node(11, "PrimitiveInt", "", "INT:INT", [77, "fixed"])
    ends = [(4, 0, 3, "model"), (4, 1, 6, "clip"), (4, 1, 7, "clip"), (6, 0, 3, "positive"), (7, 0, 3, "negative"),
            (5, 0, 3, "latent_image"), (3, 0, 8, "samples"), (4, 2, 8, "vae"), (8, 0, 9, "images"),
            (10, 0, 3, "steps"), (11, 0, 3, "seed")]  # fmt: skip
    for end in ends:
        sheet.link(*end)
    return sheet.file()


def bypassed() -> dict[str, Any]:
    """Bypassed nodes that hand on a picture, one of two pictures, and nothing that fits."""
    sheet = Sheet()
    sheet.node(1, "LoadImage", "", "IMAGE:IMAGE MASK:MASK", ["example.png", "image"])
    sheet.node(2, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE", mode=BYPASSED)
    sheet.node(3, "EmptyImage", "", "IMAGE:IMAGE", [64, 64, 1, 0])
    sheet.node(4, "ImageBlend", "image1:IMAGE image2:IMAGE", "IMAGE:IMAGE", [0.25, "screen"], mode=BYPASSED)
    sheet.node(5, "SaveImage", "images:IMAGE", "", ["handed_on"])
    sheet.node(6, "VAEDecode", "samples:LATENT vae:VAE", "IMAGE:IMAGE", mode=BYPASSED)
    sheet.node(7, "EmptyLatentImage", "", "LATENT:LATENT", [64, 64, 1])
    sheet.node(8, "SaveImage", "images:IMAGE", "", ["nothing"])
    sheet.link(1, 0, 2, "image")
    sheet.link(2, 0, 4, "image1")
    sheet.link(3, 0, 4, "image2")
    sheet.link(4, 0, 5, "images")
    sheet.link(7, 0, 6, "samples")
    sheet.link(6, 0, 8, "images")
    return sheet.file()


def muted() -> dict[str, Any]:
    """A muted node: it vanishes, and so does the input that it fed, even where a widget stands behind it."""
    sheet = Sheet()
    sheet.node(1, "EmptyImage", "width*:INT", "IMAGE:IMAGE", [64, 48, 1, 255])
    sheet.node(2, "PrimitiveInt", "", "INT:INT", [128, "fixed"], mode=MUTED)
    sheet.node(3, "SaveImage", "images:IMAGE", "", ["kept"])
    sheet.node(4, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE", mode=MUTED)
    sheet.node(5, "SaveImage", "images:IMAGE", "", ["without"])
    sheet.link(2, 0, 1, "width")
    sheet.link(1, 0, 3, "images")
    sheet.link(1, 0, 4, "image")
    sheet.link(4, 0, 5, "images")
    return sheet.file()


def rerouted() -> dict[str, Any]:
    """A chain of reroutes with a bypassed node in the middle, and one that leads nowhere."""
    sheet = Sheet()
    sheet.node(1, "EmptyImage", "", "IMAGE:IMAGE", [64, 48, 1, 255])
    sheet.node(2, "Reroute", ":*", "IMAGE:IMAGE")
    sheet.node(3, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE", mode=BYPASSED)
    sheet.node(4, "Reroute", ":*", "IMAGE:IMAGE")
    sheet.node(5, "ImageBlend", "image1:IMAGE image2:IMAGE", "IMAGE:IMAGE", [0.5, "normal"])
    sheet.node(6, "Reroute", ":*", "IMAGE:IMAGE")
    sheet.node(7, "SaveImage", "images:IMAGE", "", ["way"])
    for origin, target, name in ((1, 2, ""), (2, 3, "image"), (3, 4, ""), (4, 5, "image1"), (6, 5, "image2"),
                                 (5, 7, "images")):  # fmt: skip
        sheet.link(origin, 0, target, name)
    return sheet.file()


def _scaler() -> dict[str, Any]:
    inner = Sheet()
    slots = "image:IMAGE upscale_method*:COMBO scale_by*:FLOAT"
    inner.node(1, "ImageScaleBy", slots, "IMAGE:IMAGE", ["area", 2.0])
    inner.node(2, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE")
    inner.link(-10, 0, 1, "image")
    inner.link(-10, 1, 1, "scale_by")
    inner.link(1, 0, 2, "image")
    inner.link(2, 0, -20, "0")
    return inner.subgraph(_SUB, "Scaler", "image:IMAGE scale_by:FLOAT", "IMAGE:IMAGE")


def nested() -> dict[str, Any]:
    """A subgraph used twice, once inside another; one widget of it is promoted to both walls."""
    outer = Sheet()
    outer.node(1, _SUB, "image:IMAGE scale_by*:FLOAT", "IMAGE:IMAGE", [3.0])
    outer.node(2, "ImageBlend", "image1:IMAGE image2:IMAGE", "IMAGE:IMAGE", [0.5, "normal"])
    outer.link(-10, 0, 1, "image")
    outer.link(-10, 1, 1, "scale_by")
    outer.link(1, 0, 2, "image1")
    outer.link(-10, 0, 2, "image2")
    outer.link(2, 0, -20, "0")
    definition = outer.subgraph(_OUTER, "Blender", "image:IMAGE scale_by:FLOAT", "IMAGE:IMAGE")
    sheet = Sheet()
    sheet.node(1, "LoadImage", "", "IMAGE:IMAGE MASK:MASK", ["example.png", "image"])
    sheet.node(2, _OUTER, "image:IMAGE scale_by*:FLOAT", "IMAGE:IMAGE", [4.0])
    sheet.node(3, _SUB, "image:IMAGE scale_by*:FLOAT", "IMAGE:IMAGE", [1.25])
    sheet.node(4, "SaveImage", "images:IMAGE", "", ["deep"])
    sheet.link(1, 0, 2, "image")
    sheet.link(2, 0, 3, "image")
    sheet.link(3, 0, 4, "images")
    return sheet.file(definition, _scaler())


def fed_subgraph() -> dict[str, Any]:
    """A promoted widget that is fed by a real node, one that nobody set, and a bypassed subgraph."""
    sheet = Sheet()
    sheet.node(1, "EmptyImage", "", "IMAGE:IMAGE", [64, 48, 1, 255])
    sheet.node(2, "PrimitiveFloat", "", "FLOAT:FLOAT", [1.75])
    sheet.node(3, _SUB, "image:IMAGE scale_by*:FLOAT", "IMAGE:IMAGE", [9.0])
    sheet.node(4, _SUB, "image:IMAGE scale_by*:FLOAT", "IMAGE:IMAGE")
    sheet.node(5, "SaveImage", "images:IMAGE", "", ["fed"])
    sheet.link(2, 0, 3, "scale_by")
    sheet.link(1, 0, 3, "image")
    sheet.link(3, 0, 4, "image")
    sheet.link(4, 0, 5, "images")
    return sheet.file(_scaler())


def defaults() -> dict[str, Any]:
    """Nodes without saved values, an optional input without a link, and choices of both spellings."""
    sheet = Sheet()
    sheet.node(1, "LoadImage", "", "IMAGE:IMAGE MASK:MASK", ["example.png", "image"])
    sheet.node(2, "ImageBlend", "image1:IMAGE image2:IMAGE", "IMAGE:IMAGE")
    sheet.node(3, "CreateVideo", "images:IMAGE audio:AUDIO fps*:FLOAT", "VIDEO:VIDEO")
    sheet.node(4, "SaveVideo", "video:VIDEO", "", ["video/mine", "mp4"])
    sheet.link(1, 0, 2, "image1")
    sheet.link(1, 0, 2, "image2")
    sheet.link(2, 0, 3, "images")
    sheet.link(3, 0, 4, "video")
    return sheet.file()


def rounded() -> dict[str, Any]:
    """A primitive whose number is not on the step of the widget that it feeds."""
    sheet = Sheet()
    sheet.node(1, "EmptyImage", "", "IMAGE:IMAGE", [64, 48, 1, 255])
    sheet.node(2, "PrimitiveNode", "", "FLOAT:FLOAT", [0.14371, "fixed"])
    sheet.node(3, "ImageScaleBy", "image:IMAGE scale_by*:FLOAT", "IMAGE:IMAGE", ["area", 2.0])
    sheet.node(4, "SaveImage", "images:IMAGE", "", ["step"])
    sheet.link(1, 0, 3, "image")
    sheet.link(2, 0, 3, "scale_by")
    sheet.link(3, 0, 4, "images")
    return sheet.file()


def primed_subgraph() -> dict[str, Any]:
    """A primitive that feeds a promoted widget, one that feeds a choice, and a file name made of a value."""
    sheet = Sheet()
    sheet.node(1, "EmptyImage", "", "IMAGE:IMAGE", [64, 48, 1, 255])
    sheet.node(2, "PrimitiveNode", "", "FLOAT:FLOAT", [3.5, "fixed"])
    sheet.node(3, _SUB, "image:IMAGE scale_by*:FLOAT", "IMAGE:IMAGE", [9.0])
    sheet.node(4, "PrimitiveNode", "", "COMBO:COMBO", ["bicubic", "fixed", ""])
    slots = "image:IMAGE upscale_method*:COMBO scale_by*:FLOAT"
    sheet.node(5, "ImageScaleBy", slots, "IMAGE:IMAGE", ["area", 2.0], title="Twice")
    sheet.node(6, "SaveImage", "images:IMAGE", "", ["%Twice.scale_by%_%EmptyImage.width%_%nothing.x%"])
    for origin, target, name in ((1, 3, "image"), (2, 3, "scale_by"), (3, 5, "image"), (4, 5, "upscale_method"),
                                 (5, 6, "images")):  # fmt: skip
        sheet.link(origin, 0, target, name)
    return sheet.file(_scaler())


def sockets_by_force() -> dict[str, Any]:
    """A socket by force, converted inputs in an order of their own, a null, and more values than widgets."""
    sheet = Sheet()
    sheet.node(1, "RecraftTextToImageNode", "negative_prompt:STRING", "IMAGE:IMAGE", ["a", "1365x1024", 2, 7, "fixed"])
    sheet.node(2, "PrimitiveNode", "", "INT:INT", [333, "fixed"])
    sheet.node(3, "PrimitiveNode", "", "INT:INT", [222, "fixed"])
    sheet.node(4, "EmptyImage", "height*:INT width*:INT", "IMAGE:IMAGE", [64, 48, None, 255])
    sheet.node(5, "SaveImage", "images:IMAGE", "", ["n", "extra", "more"])
    sheet.link(2, 0, 4, "width")
    sheet.link(3, 0, 4, "height")
    sheet.link(4, 0, 5, "images")
    return sheet.file()


SHELF: Mapping[str, Callable[[], dict[str, Any]]] = {
    "plain": plain,
    "objects": lambda: plain(objects=True),
    "sampled": sampled,
    "bypassed": bypassed,
    "muted": muted,
    "rerouted": rerouted,
    "nested": nested,
    "fed_subgraph": fed_subgraph,
    "defaults": defaults,
    "rounded": rounded,
    "primed_subgraph": primed_subgraph,
    "sockets_by_force": sockets_by_force,
}
"""Whole workflows by name."""
