"""`agent`: the process on a GPU host; `worker agent|vitals|alerts|energy|restart`: the studio's side of it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from x121lib.agent import config
from x121lib.cli.output import note, refusals, say, show_frame
from x121lib.cli.workers import worker_app
from x121lib.studio import Studio

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def agent(
    config_file: Annotated[Path, typer.Option("--config", help="The agent's TOML file.")] = Path("x121-agent.toml"),
) -> None:
    """Run the agent on a GPU host until Ctrl-C: vitals, and restarts by configured commands only."""
    with refusals():
        given = config.load(config_file)
        note(f"The studio needs the key in {given.key_file}.")
        server = importlib.import_module("x121lib.agent.server")  # no other command needs an HTTP server
        server.serve(given, lambda: say(f"The agent listens on {given.host}:{given.port}"))


@worker_app.command("agent")
def worker_agent(
    name: str, url: str, key_file: Annotated[Path, typer.Option(help="File with the agent's key.")]
) -> None:
    """Tell which agent runs on a worker's host; it is asked at once."""
    with refusals(), Studio.open() as studio:
        report = studio.agents.attach(name, url, config.read_key(key_file))
        gpus = ", ".join(gpu.name for gpu in report.gpus) or report.no_gpu_reason
        say(f"The agent of {name} answers. {gpus}")


@worker_app.command("vitals")
def worker_vitals(as_json: Json = False) -> None:
    """Show every GPU's newest vitals, read from the agents now."""
    with refusals(), Studio.open() as studio:
        studio.agents.look()
        show_frame(studio.agents.vitals(), as_json=as_json, empty="No agent reports a GPU.")
        if not as_json:
            for row in studio.agents.list().itertuples():
                if row.trouble or row.no_gpu_reason:
                    say(f"{row.worker}: {row.trouble or row.no_gpu_reason}")


@worker_app.command("alerts")
def worker_alerts(as_json: Json = False) -> None:
    """Show the thresholds that are passed at the moment."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.agents.alerts(), as_json=as_json, empty="No alert is open.")


@worker_app.command("energy")
def worker_energy(as_json: Json = False) -> None:
    """Show the energy that the GPUs used, per worker and day, from measured power."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.agents.energy(), as_json=as_json, empty="No power was measured yet.")


@worker_app.command("packs")
def worker_packs(name: str, as_json: Json = False) -> None:
    """List the node packs that a worker's host allows, with the commit that is pinned and the one installed."""
    with refusals(), Studio.open() as studio:
        show_frame(studio.agents.packs(name), as_json=as_json, empty=f"The agent of {name} allows no pack.")


@worker_app.command("install-pack")
def worker_install_pack(name: str, pack: str) -> None:
    """Install a node pack that a worker's host allows, at the commit pinned there."""
    with refusals(), Studio.open() as studio:
        done = studio.agents.install_pack(name, pack)
        say(f"{pack} is at {done['commit']}. Restart ComfyUI: 'x121 worker restart {name} comfyui'.")


@worker_app.command("restart")
def worker_restart(name: str, service: str) -> None:
    """Restart a service on a worker's host by the command that its agent has configured."""
    with refusals(), Studio.open() as studio:
        code, output = studio.agents.restart(name, service)
        say(output.rstrip() or f"The command of {service} ended with exit code {code}.")
        if code:
            raise typer.Exit(1)
