"""The agent's configuration: one TOML file on the GPU host."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from x121lib.base.errors import InvalidInputError

Command = Annotated[tuple[str, ...], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thresholds(_Part):
    """Beyond these an alert is open."""

    temperature_c: float = Field(87.0, gt=0, description="GPU temperature in °C.")
    vram_fraction: float = Field(0.98, gt=0, le=1, description="Share of a GPU's memory in use.")
    disk_free_gb: float = Field(10.0, ge=0, description="Free gigabytes (10⁹ bytes) of each disk.")


class Pack(_Part):
    """A node pack that may be installed."""

    repo: Annotated[str, Field(pattern=r"^(https://|ssh://|file://|/)[!-~]+$")] = Field(
        description="Its git repository: https, ssh, file, or a path."
    )
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] = Field(description="The one commit that is installed.")
    after: Command | None = Field(None, description="Command that runs in its folder afterwards, e.g. pip install.")


PackName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class AgentConfig(_Part):
    """Everything that the agent may look at and run; nothing else is ever run."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8190, ge=0, le=65535, description="Port to listen on.")
    key_file: Path = Field(description="File with the key that the studio must know; made at the first start.")
    disks: tuple[Path, ...] = Field((), description="Folders whose disks are reported.")
    models: Path | None = Field(None, description="ComfyUI's folder of models.")
    node_packs: Path | None = Field(None, description="ComfyUI's folder `custom_nodes`.")
    packs: dict[PackName, Pack] = Field(default_factory=dict, description="Node packs that may be installed.")
    receive_models: bool = Field(False, description="Whether the studio may send files into the folder of models.")
    install_s: float = Field(600.0, gt=0, description="Seconds that each step of an installation may take.")
    services: dict[str, Command] = Field(default_factory=dict, description="Service → its restart command.")
    power_off: Command | None = Field(None, description="Command that puts the host to sleep or off.")
    command_s: float = Field(60.0, gt=0, description="Seconds that a command may take.")
    thresholds: Thresholds = Thresholds()


def load(path: Path) -> AgentConfig:
    """Read a configuration file.

    Raises:
        InvalidInputError: no such file, no TOML, or a wrong or unknown field; the message names it.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return AgentConfig.model_validate(given)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInputError(f"The agent's configuration {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInputError(f"{path}: {field}: {first['msg']}.", hint="See docs/fleet.md.") from error


def read_key(path: Path) -> str:
    """Return the key in a file; raises `InvalidInputError` where it cannot be read."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The key file {path} cannot be read: {error}") from error
