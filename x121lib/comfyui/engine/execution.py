"""Running one prompt: node by node, with caching, interruption and events."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.comfyui.engine.cache import ResultCache
from x121lib.comfyui.engine.errors import NODE_FAILURES, ExecutionInterrupted
from x121lib.comfyui.engine.folders import Folders
from x121lib.comfyui.engine.images import Frames, Image
from x121lib.comfyui.engine.planning import Plan, declared_links, make_plan, with_changes
from x121lib.comfyui.engine.progress import Outlet, Progress
from x121lib.comfyui.engine.queueing import Item
from x121lib.comfyui.engine.specs import NodeResult
from x121lib.comfyui.engine.validation import Prompt, spec_of

_log = get_logger(__name__)


@dataclass
class NodeContext:
    """What one running node may use; implements `NodeRun`."""

    node_id: str
    folders: Folders
    metadata: dict[str, Any]
    progress: Progress
    interrupted: threading.Event

    def step(self, done: int, total: int, preview: Image | None = None) -> None:
        """Report frames that are ready; see `NodeRun.step`."""
        if self.interrupted.is_set():
            raise ExecutionInterrupted
        self.progress.step(self.node_id, done, total, preview)

    def each(self, frames: Frames, function: Callable[[Image], Image]) -> Frames:
        """Apply a pure function to every frame; see `NodeRun.each`."""
        made: dict[int, Image] = {}
        for number, frame in enumerate(frames, start=1):
            if id(frame) not in made:
                made[id(frame)] = function(frame)
            self.step(number, len(frames))
        return tuple(made[id(frame)] for frame in frames)


@dataclass
class Outcome:
    """How a prompt ended: what history shows."""

    outputs: dict[str, Any]
    meta: dict[str, Any]
    messages: list[tuple[str, dict[str, Any]]]
    success: bool

    def entry(self, item: Item) -> dict[str, Any]:
        """Return the prompt's entry in history."""
        return {
            "prompt": item.as_list(),
            "outputs": self.outputs,
            "status": {
                "status_str": "success" if self.success else "error",
                "completed": self.success,
                "messages": [list(message) for message in self.messages],
            },
            "meta": self.meta,
        }


class Executor:
    """Runs prompts one at a time, in the thread that calls `execute`."""

    def __init__(self, folders: Folders, cache: ResultCache, outlet: Outlet) -> None:
        self.folders = folders
        self.cache = cache
        self.outlet = outlet
        self.interrupted = threading.Event()
        self.current_node: str | None = None

    def execute(self, item: Item) -> Outcome:
        """Run a prompt to its end, its failure or its interruption; only the last two make it unsuccessful."""
        self.interrupted.clear()
        previews = item.extra_data.get("preview_method") != "none"
        progress = Progress(self.outlet, item.prompt_id, item.client_id, previews=previews)
        progress.message("execution_start", {"prompt_id": item.prompt_id})
        run = _PromptRun(self, item, progress)
        try:
            success = run.run()
        finally:
            run.release()
            self.current_node = None
            self.cache.trim()
        meta = {
            node: {
                "node_id": node,
                "display_node": node,
                "parent_node": None,
                "real_node_id": node,
            }
            for node in run.ui
        }
        return Outcome(run.ui, meta, progress.messages, success)


class _PromptRun:
    """The state of one run: results that are still needed, and what was shown."""

    def __init__(self, executor: Executor, item: Item, progress: Progress) -> None:
        self.executor = executor
        self.item = item
        self.prompt: Prompt = with_changes(item.prompt, executor.folders)
        self.progress = progress
        self.ui: dict[str, Any] = {}
        self._results: dict[str, NodeResult] = {}
        self._tickets: dict[str, tuple[int, ...]] = {}
        self._executed: list[str] = []
        self._plan = Plan()

    def run(self) -> bool:
        node = self.item.outputs[0]
        try:
            self._plan = make_plan(
                self.prompt,
                self.item.outputs,
                self.executor.cache,
            )
            data = {"nodes": list(self._plan.found), "prompt_id": self.item.prompt_id}
            self._start_from(self._plan.found)
            self.progress.message("execution_cached", data)
            for node in self._plan.order:
                self._visit(node)
        except ExecutionInterrupted:
            self.progress.message("execution_interrupted", self._where(node), broadcast=True)
            return False
        except NODE_FAILURES as error:
            self._failed(node, error)
            return False
        self.progress.message("execution_success", {"prompt_id": self.item.prompt_id})
        return True

    def release(self) -> None:
        """Let go of every result."""
        for node in list(self._results):
            self._let_go(node)

    def _start_from(self, found: dict[str, NodeResult]) -> None:
        for node, result in found.items():
            if self._plan.consumers[node]:
                self._hold(node, result)
            # What only the plan would keep alive is let go: its memory belongs to the cache.
            found[node] = NodeResult((), result.ui)

    def _visit(self, node: str) -> None:
        if node in self._plan.found:
            self._show_again(node)
            return
        if self.executor.interrupted.is_set():
            raise ExecutionInterrupted
        self.executor.current_node = node
        self.progress.started(node)
        context = NodeContext(node, self.executor.folders, self._metadata(), self.progress, self.executor.interrupted)
        spec = spec_of(self.prompt[node])
        result = spec.run(context, self._inputs(node))
        if self.executor.interrupted.is_set():
            raise ExecutionInterrupted
        self._hold(node, result)
        if result.ui is not None:
            self.ui[node] = result.ui
            self.progress.executed(node, result.ui)
        for _, source, _ in declared_links(self.prompt, node):
            self._plan.consumers[source] -= 1
            if not self._plan.consumers[source]:
                self._let_go(source)
        self.executor.cache.keep(self._plan.signatures[node], result)
        if not self._plan.consumers[node]:
            self._let_go(node)
        self.progress.finished(node)
        self._executed.append(node)

    def _show_again(self, node: str) -> None:
        ui = self._plan.found[node].ui
        if ui is not None:
            self.ui[node] = ui
            self.progress.executed(node, ui)
            self.progress.finished(node)

    def _inputs(self, node: str) -> dict[str, Any]:
        sources = {name: (source, slot) for name, source, slot in declared_links(self.prompt, node)}
        given = self.prompt[node]["inputs"]
        inputs = {}
        for name in spec_of(self.prompt[node]).declared:
            if name in sources:
                source, slot = sources[name]
                inputs[name] = self._results[source].values[slot]
            elif name in given:
                inputs[name] = given[name]
        return inputs

    def _metadata(self) -> dict[str, Any]:
        extra = self.item.extra_data.get("extra_pnginfo")
        return {"prompt": self.prompt, **(extra if isinstance(extra, dict) else {})}

    def _hold(self, node: str, result: NodeResult) -> None:
        self._results[node] = result
        self._tickets[node] = self.executor.cache.ledger.hold(result.values)

    def _let_go(self, node: str) -> None:
        self.executor.cache.ledger.release(self._tickets.pop(node))
        del self._results[node]

    def _where(self, node: str) -> dict[str, Any]:
        return {
            "prompt_id": self.item.prompt_id,
            "node_id": node,
            "node_type": self.prompt[node]["class_type"],
            "executed": list(self._executed),
        }

    def _failed(self, node: str, error: Exception) -> None:
        if isinstance(error, X121Error):
            _log.info("node %s of prompt %s failed: %s", node, self.item.prompt_id, error)
        else:
            _log.warning("node %s of prompt %s failed", node, self.item.prompt_id, exc_info=error)
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        shown = {name: [str(value)[:200]] for name, value in self.prompt[node]["inputs"].items()}
        self.progress.message(
            "execution_error",
            {
                **self._where(node),
                "exception_message": f"{error}\n",
                "exception_type": name,
                "traceback": traceback.format_tb(error.__traceback__),
                "current_inputs": shown,
                "current_outputs": list(self._plan.found) + self._executed,
            },
        )
