"""What the fleet's page does: each through the use case that checks permission, input and state again."""

from __future__ import annotations

from typing import Any

from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.studio.core import Studio
from x121lib.studio.pages.desk import key_of

_WORDS = 300


def add(studio: Studio, url: str, name: str, slots: str, tags: str) -> dict[str, Any]:
    """Add a ComfyUI server."""
    if not url.strip():
        raise InvalidInputError("A worker needs the address of its ComfyUI.", hint="For example http://gpu-1:8188.")
    key = studio.workers.add(
        url.strip(), name=name.strip() or None, slots=_whole("Slots", slots or "1"), tags=_words(tags)
    )
    return {"text": f"{studio.workers.show(str(key))['name']} is in the fleet", "worker_id": str(key)}


def edit(studio: Studio, worker_id: str, name: str, slots: str, tags: str) -> dict[str, Any]:
    """Change a worker's name, slots and tags."""
    if not name.strip():
        raise InvalidInputError("A worker needs a name.")
    studio.workers.change(_key(worker_id), rename=name.strip(), slots=_whole("Slots", slots), tags=_words(tags))
    return {"text": f"{name.strip()} is changed"}


def attach(studio: Studio, worker_id: str, url: str, key: str) -> dict[str, Any]:
    """Tell which agent runs on a worker's host."""
    report = studio.agents.attach(_key(worker_id), url.strip(), key)
    found = f"{len(report.gpus)} GPU" + ("s" if len(report.gpus) != 1 else "") if report.gpus else report.no_gpu_reason
    return {"text": f"The agent answers: {found}"}


def set_power(studio: Studio, worker_id: str, idle: str, wake: str, target: str, windows: str) -> dict[str, Any]:
    """Set how a worker's power is switched; everything empty leaves it alone."""
    minutes = None
    if idle.strip():
        try:
            minutes = float(idle)
        except ValueError as error:
            raise InvalidInputError(f"Idle minutes: '{idle}' is no number.") from error
    studio.power.configure(
        _key(worker_id), idle_minutes=minutes, wake=wake.strip() or None, target=target.strip(),
        windows=tuple(w.strip() for w in windows.split(",") if w.strip()),
    )  # fmt: skip
    return {"text": "The power plan is set" if wake.strip() else "Its power is left alone"}


def restart(studio: Studio, worker_id: str, service: str) -> dict[str, Any]:
    """Restart a service that the worker's agent has configured."""
    if not service.strip():
        raise InvalidInputError("Which service?", hint="Its name stands under [services] in the agent's file.")
    code, output = studio.agents.restart(_key(worker_id), service.strip())
    if code:
        words = output.strip()[-_WORDS:] or "it said nothing"
        raise RefusedError(f"The host's command ended with exit code {code}: {words}")
    return {"text": f"{service.strip()} is restarted"}


def hold(studio: Studio, worker_id: str, how: str, reason: str) -> str:
    """Drain a worker, take it into maintenance, or take it back."""
    key, name = _key(worker_id), studio.workers.show(_key(worker_id))["name"]
    if how == "drain":
        studio.workers.drain(key)
        return f"{name} finishes what it runs and gets nothing more"
    if how == "maintenance":
        studio.workers.maintenance(key, reason)
        return f"{name} is in maintenance"
    if how == "return":
        studio.workers.reopen(key)
        return f"{name} is taken back; the next health check says how it is"
    raise InvalidInputError(f"A worker can not be held by '{how}'.", hint="Known: drain, maintenance, return.")


def switch(studio: Studio, worker_id: str, *, on: bool) -> str:
    """Wake a worker, or put it to sleep."""
    key = _key(worker_id)
    (studio.power.wake if on else studio.power.sleep)(key)
    name = studio.workers.show(key)["name"]
    return f"The wake-up of {name} is sent" if on else f"{name} goes to sleep"


def remove(studio: Studio, worker_id: str) -> str:
    """Remove a worker."""
    key = _key(worker_id)
    name = studio.workers.show(key)["name"]
    studio.workers.remove(key)
    return f"{name} is removed; its history stays"


def _key(worker_id: str) -> str:
    return str(key_of(worker_id, "worker"))


def _whole(what: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InvalidInputError(f"{what}: '{text}' is no whole number.") from error


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for part in text.split(",") if (tag := part.strip())))
