"""Which nodes of a checked prompt must run, in what order, and what each result's last consumer is."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from x121lib.comfyui.engine.cache import ResultCache
from x121lib.comfyui.engine.errors import NODE_FAILURES
from x121lib.comfyui.engine.folders import Folders
from x121lib.comfyui.engine.specs import NodeResult
from x121lib.comfyui.engine.validation import Prompt, links, spec_of


@dataclass
class Plan:
    """A prompt's run.

    Attributes:
        order: nodes to visit, sources first; each output's sources directly before it, so results live briefly.
        signatures: node id -> what decides its result.
        found: node id -> the kept result it starts from.
        consumers: node id -> how many links of nodes that run still need its result.
    """

    order: list[str] = field(default_factory=list)
    signatures: dict[str, str] = field(default_factory=dict)
    found: dict[str, NodeResult] = field(default_factory=dict)
    consumers: Counter[str] = field(default_factory=Counter)


def with_changes(prompt: Prompt, folders: Folders) -> Prompt:
    """Return the prompt with ``is_changed`` in each node that reads a file, as ComfyUI writes it into saved files.

    It is a list of one fingerprint, or NaN where there is none to be had (then the node always runs again). What
    the sender wrote under that key stays. Nodes that lead to no output have it too. Queue and history show the
    prompt as it was sent.
    """
    return {node_id: _with_change(node, folders) for node_id, node in prompt.items()}


def _with_change(node: dict[str, Any], folders: Folders) -> dict[str, Any]:
    fingerprint = spec_of(node).fingerprint
    if fingerprint is None or "is_changed" in node:
        return node
    try:
        return {**node, "is_changed": [fingerprint(folders, node["inputs"])]}
    except NODE_FAILURES:
        return {**node, "is_changed": math.nan}


def make_plan(prompt: Prompt, outputs: list[str], cache: ResultCache) -> Plan:
    """Plan the run of a prompt that `with_changes` gave; nodes above a kept result are not visited."""
    plan = Plan()
    for node in _above(prompt, outputs):
        plan.signatures[node] = _signature(prompt, node, plan.signatures)
    for node, signature in plan.signatures.items():
        result = cache.find(signature)
        if result is not None:
            plan.found[node] = result
    plan.order = _above(prompt, outputs, stop_at=set(plan.found))
    for node in plan.order:
        if node not in plan.found:
            plan.consumers.update(source for _, source, _ in declared_links(prompt, node))
    return plan


def declared_links(prompt: Prompt, node_id: str) -> list[tuple[str, str, int]]:
    """Return a node's links to inputs that its class declares, as (input name, source, slot)."""
    names = spec_of(prompt[node_id]).declared
    return [link for link in links(prompt[node_id]) if link[0] in names]


def _above(prompt: Prompt, outputs: list[str], stop_at: set[str] | None = None) -> list[str]:
    order: dict[str, None] = {}
    for output in outputs:
        stack = [(output, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                order.setdefault(node)
            elif node not in order:
                stack.append((node, True))
                if stop_at is None or node not in stop_at:
                    stack.extend((source, False) for _, source, _ in reversed(declared_links(prompt, node)))
    return list(order)


def _signature(prompt: Prompt, node_id: str, known: dict[str, str]) -> str:
    node = prompt[node_id]
    spec = spec_of(node)
    sources = {name: [known[source], slot] for name, source, slot in declared_links(prompt, node_id)}
    facts = [spec.name, {**node["inputs"], **sources}]
    if spec.fingerprint is not None:
        changed = node["is_changed"]
        facts.append(str(uuid.uuid4()) if changed != changed else changed)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
