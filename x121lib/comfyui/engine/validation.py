"""Checks of a prompt before it is queued, with errors in ComfyUI's form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from x121lib.comfyui.engine.catalogue import NODES
from x121lib.comfyui.engine.folders import Folders
from x121lib.comfyui.engine.specs import InputSpec, NodeSpec, combo_options

Prompt = dict[str, Any]
Problem = dict[str, Any]
_SHORT_LIST = 20
_CONVERTERS = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


@dataclass
class Verdict:
    """What a check found.

    Attributes:
        outputs: output nodes that may run, in the prompt's order.
        error: the top-level error, or None where at least one output may run.
        node_errors: node id -> its errors, in ComfyUI's form.
    """

    outputs: list[str] = field(default_factory=list)
    error: Problem | None = None
    node_errors: dict[str, Any] = field(default_factory=dict)


def problem(kind: str, message: str, details: str = "", **extra: Any) -> Problem:
    """Return one error in ComfyUI's form."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def links(node: Any) -> Iterator[tuple[str, str, int]]:
    """Yield (input name, source node id, source slot) of a node's well-formed links."""
    for name, value in node["inputs"].items():
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
            yield name, value[0], value[1]


def validate(prompt: Prompt, folders: Folders, targets: list[str] | None = None) -> Verdict:
    """Check a prompt; numbers given as text are converted in place, as ComfyUI does.

    ``targets`` limits the output nodes. Outputs that fail are dropped while others run; their errors are reported.
    """
    error, outputs = _classes(prompt, targets)
    if error is not None:
        return Verdict(error=error)
    checked = _Checker(prompt, folders)
    verdict = Verdict()
    lines = []
    for output in outputs:
        reach = checked.reach(output)
        if all(checked.valid.get(node, False) for node in reach):
            verdict.outputs.append(output)
            continue
        lines += [f"{entry['message']}: {entry['details']}" for entry in checked.errors.get(output, [])]
        for node in reach:
            if checked.errors.get(node):
                entry = verdict.node_errors.setdefault(
                    node,
                    {"errors": checked.errors[node], "dependent_outputs": [],
                     "class_type": prompt[node]["class_type"]},
                )  # fmt: skip
                entry["dependent_outputs"].append(output)
    if not verdict.outputs:
        verdict.error = problem(
            "prompt_outputs_failed_validation",
            "Prompt outputs failed validation",
            "\n".join(lines),
        )
    return verdict


def _classes(prompt: Prompt, targets: list[str] | None) -> tuple[Problem | None, list[str]]:
    outputs = []
    for node_id, node in prompt.items():
        if "class_type" not in node:
            message = "Cannot execute because a node is missing the class_type property."
            return problem("invalid_prompt", message, f"Node ID '#{node_id}'"), []
        name = node["class_type"]
        if not isinstance(name, str) or name not in NODES:
            title = node.get("_meta", {}).get("title", name)
            extra = {"node_id": node_id, "class_type": name, "node_title": title}
            message = f"Node '{title}' not found. The local engine has no class {name}."
            return problem("missing_node_type", message, f"Node ID '#{node_id}'", **extra), []
        if NODES[name].output_node and (targets is None or node_id in targets):
            outputs.append(node_id)
    if not outputs:
        return problem("prompt_no_outputs", "Prompt has no outputs"), []
    return None, outputs


class _Checker:
    """The errors of each node that an output reaches; every node is checked once."""

    def __init__(self, prompt: Prompt, folders: Folders) -> None:
        self.prompt = prompt
        self.folders = folders
        self.errors: dict[str, list[Problem]] = {}
        self.valid: dict[str, bool] = {}
        self._children: dict[str, list[tuple[str, str]]] = {}

    def reach(self, output: str) -> list[str]:
        """Check everything above an output, without recursion, and return its ids, sources first."""
        order: list[str] = []
        seen: set[str] = set()
        path: list[str] = []
        stack: list[tuple[str, str | None, bool]] = [(output, None, False)]
        while stack:
            node, via, leaving = stack.pop()
            if leaving:
                path.pop()
                order.append(node)
            elif node in path:
                self._cycle(path[path.index(node) :])
            elif node not in seen:
                seen.add(node)
                path.append(node)
                stack.append((node, via, True))
                self._check_once(node, via)
                stack.extend((source, name, False) for name, source in reversed(self._children[node]))
        return order

    def _cycle(self, nodes: list[str]) -> None:
        text = " -> ".join([*nodes, nodes[0]])
        for node in nodes:
            known = self.errors.setdefault(node, [])
            if not any(entry["type"] == "dependency_cycle" for entry in known):
                known.append(
                    problem(
                        "dependency_cycle",
                        "Dependency cycle detected",
                        text,
                        cycle_nodes=nodes,
                    )
                )
            self.valid[node] = False

    def _check_once(self, node_id: str, via: str | None) -> None:
        if node_id in self.valid:
            return
        self._children[node_id] = []
        try:
            errors = list(self._node_errors(node_id))
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            kind, which = ("validation", "node") if via is None else ("inner_validation", "inner node")
            extra = {
                "exception_type": type(error).__name__,
                "exception_message": str(error),
                "traceback": [],
            }
            if via is not None:
                extra["input_name"] = via
            errors = [
                problem(
                    f"exception_during_{kind}",
                    f"Exception when validating {which}",
                    str(error),
                    **extra,
                )
            ]
        self.errors[node_id] = errors
        self.valid[node_id] = not errors

    def _node_errors(self, node_id: str) -> Iterator[Problem]:
        node = self.prompt[node_id]
        spec = NODES[node["class_type"]]
        given = node["inputs"]
        for name, declared in spec.declared.items():
            if name not in given:
                if name in spec.required:
                    yield problem(
                        "required_input_missing",
                        "Required input is missing",
                        name,
                        input_name=name,
                    )
            elif isinstance(given[name], list):
                found = self._link_error(node_id, name, declared, given[name])
                if found is not None:
                    yield found
            else:
                found = _value_error(given, name, declared, checked=name in spec.check)
                if found is not None:
                    yield found
                elif name in spec.check and (wrong := spec.check[name](self.folders, given[name])) is not None:
                    message = "Custom validation failed for node"
                    yield problem(
                        "custom_validation_failed",
                        message,
                        f"{name} - {wrong}",
                        input_name=name,
                    )

    def _link_error(self, node_id: str, name: str, declared: InputSpec, value: list[Any]) -> Problem | None:
        extra = {"input_name": name, "input_config": declared, "received_value": value}
        if len(value) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            return problem("bad_linked_input", message, name, **extra)
        source, slot = value
        received = NODES[self.prompt[source]["class_type"]].return_types[slot]
        wanted = "COMBO" if combo_options(declared) is not None else declared[0]
        if not {"*", received} & {wanted, *str(wanted).split(",")}:
            details = f"{name}, received_type({received}) mismatch input_type({declared[0]})"
            extra = {
                "input_name": name,
                "input_config": declared,
                "received_type": received,
                "linked_node": value,
            }
            return problem(
                "return_type_mismatch",
                "Return type mismatch between linked nodes",
                details,
                **extra,
            )
        self._children[node_id].append((name, source))
        return None


def _value_error(given: dict[str, Any], name: str, declared: InputSpec, *, checked: bool) -> Problem | None:
    kind, options = declared[0], declared[1] if len(declared) > 1 else {}
    value = given[name]
    if isinstance(value, dict) and "__value__" in value:
        value = given[name] = value["__value__"]
    extra: dict[str, Any] = {
        "input_name": name,
        "input_config": declared,
        "received_value": value,
    }
    if isinstance(kind, str) and kind in _CONVERTERS:
        try:
            value = given[name] = _CONVERTERS[kind](value)
        except (TypeError, ValueError, OverflowError) as error:
            message = f"Failed to convert an input value to a {kind} value"
            details = f"{name}, {value}, {error}"
            return problem(
                "invalid_input_type",
                message,
                details,
                **extra,
                exception_message=str(error),
            )
    extra["received_value"] = value
    if checked:
        return None
    if "min" in options and value < options["min"]:
        message = f"Value {value} smaller than min of {options['min']}"
        return problem("value_smaller_than_min", message, name, **extra)
    if "max" in options and value > options["max"]:
        return problem(
            "value_bigger_than_max",
            f"Value {value} bigger than max of {options['max']}",
            name,
            **extra,
        )
    return _combo_error(name, value, declared, extra)


def _combo_error(name: str, value: Any, declared: InputSpec, extra: dict[str, Any]) -> Problem | None:
    choices = combo_options(declared)
    if choices is None or value in choices:
        return None
    shown = str(choices)
    if len(choices) > _SHORT_LIST:
        shown = f"(list of length {len(choices)})"
        extra["input_config"] = None
    return problem(
        "value_not_in_list",
        "Value not in list",
        f"{name}: '{value}' not in {shown}",
        **extra,
    )


def spec_of(node: dict[str, Any]) -> NodeSpec:
    """Return the class of a node of a checked prompt."""
    return NODES[node["class_type"]]
