"""Which nodes of a checked prompt must run, in what order, and what each result's last consumer is."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field

from x121lib.comfyui.engine.cache import ResultCache
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


def make_plan(prompt: Prompt, outputs: list[str], cache: ResultCache, folders: Folders) -> Plan:
    """Plan a run; nodes above a kept result are not visited."""
    plan = Plan()
    for node in _above(prompt, outputs):
        plan.signatures[node] = _signature(prompt, node, plan.signatures, folders)
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


def _signature(prompt: Prompt, node_id: str, known: dict[str, str], folders: Folders) -> str:
    node = prompt[node_id]
    spec = spec_of(node)
    sources = {name: [known[source], slot] for name, source, slot in declared_links(prompt, node_id)}
    facts = [spec.name, {**node["inputs"], **sources}]
    if spec.fingerprint is not None:
        facts.append(spec.fingerprint(folders, node["inputs"]))
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
