"""The local engine: a small CPU server that speaks ComfyUI's HTTP and WebSocket API for core image and video nodes."""

from x121lib.comfyui.engine.engine import EngineOptions
from x121lib.comfyui.engine.running import RunningEngine, start_engine

__all__ = ["EngineOptions", "RunningEngine", "start_engine"]
