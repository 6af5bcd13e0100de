"""ComfyUI: the client, workflow graphs and the local engine; no database."""

from x121lib.comfyui.addresses import check_worker_url
from x121lib.comfyui.client import ClientOptions, ComfyClient
from x121lib.comfyui.graph import Graph, canonical_hash, load_graph, node_classes, output_nodes, parse_graph
from x121lib.comfyui.outputs import OutputFile, OutputKind
from x121lib.comfyui.results import Progress, PromptState, RunResult
from x121lib.comfyui.slots import Slot, bind, discover_slots
from x121lib.comfyui.watching import Patience
from x121lib.comfyui.wire import QueueState, SystemStats

__all__ = [
    "ClientOptions",
    "ComfyClient",
    "Graph",
    "OutputFile",
    "OutputKind",
    "Patience",
    "Progress",
    "PromptState",
    "QueueState",
    "RunResult",
    "Slot",
    "SystemStats",
    "bind",
    "canonical_hash",
    "check_worker_url",
    "discover_slots",
    "load_graph",
    "node_classes",
    "output_nodes",
    "parse_graph",
]
