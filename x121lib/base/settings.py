"""Settings: the environment (`X121_…`), then `x121.toml` in `X121_HOME`, then defaults."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

import platformdirs
from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


def default_home() -> Path:
    """Return `X121_HOME`, else the platform's data folder for X121."""
    given = os.environ.get("X121_HOME")
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("x121"))


class Settings(BaseSettings):
    """Everything that can be set from outside. Field names in capitals with `X121_` before them."""

    model_config = SettingsConfigDict(env_prefix="X121_", extra="ignore")

    home: Path = Field(default_factory=default_home, description="Folder that holds all of a studio on one machine.")
    database_url: SecretStr | None = Field(None, description="PostgreSQL ≥ 16 with pgvector; empty: embedded server.")
    queue_url: SecretStr | None = Field(
        None, validation_alias=AliasChoices("X121_QUEUE_URL", "X121_REDIS_URL", "queue_url", "redis_url"),
        description="Redis that carries Huey's messages; empty: the database.",
    )  # fmt: skip
    artifacts: Path | None = Field(
        None, description="Folder of the stored files, one for all machines; empty: below X121_HOME."
    )
    host: str = Field("127.0.0.1", description="Address that the web door listens on.")
    port: int = Field(8121, ge=0, le=65535, description="Port of the web door; the next free one if taken.")
    web: bool = Field(True, description="Whether `x121 up` and `x121 demo` start the web door.")
    engines: int = Field(2, ge=0, le=16, description="Local CPU engines that `x121 up` starts as GPU workers.")
    consumer_slots: int = Field(4, ge=1, le=64, description="Takes that one consumer process drives at once.")
    lease_s: float = Field(15.0, gt=0, description="Seconds a GPU task stays leased without a heartbeat.")
    heartbeat_s: float = Field(3.0, gt=0, description="Seconds between heartbeats of a running task.")
    stall_s: float = Field(600.0, gt=0, description="Seconds without any progress before a prompt counts as stalled.")
    undo_s: float = Field(10.0, ge=0, description="Seconds in which a review decision can be undone.")
    disk_reserve_mb: int = Field(
        256, ge=0, description="Free megabytes on the artifacts' disk below which no new take starts."
    )
    allow_private_addresses: bool = Field(
        True, description="Allow GPU workers on private and loopback addresses (a studio's own network)."
    )
    minimum_fleet: int = Field(0, ge=0, le=1000, description="GPU workers that are kept awake at all times.")
    wake_commands: dict[str, list[str]] = Field(
        {}, description="Commands (lists of words, no shell) that may wake GPU workers, by name."
    )
    models_dir: Path | None = Field(None, description="ComfyUI's folder of models that `x121 model scan` reads.")
    download_folders: dict[str, str] = Field(
        {}, description="Folder below the models' for downloads, by kind; may hold {base_model}."
    )
    download_private_hosts: list[str] = Field(
        [], description="Hosts (HOST or HOST:PORT) on private addresses that models may be downloaded from."
    )
    download_timeout_s: float = Field(30.0, gt=0, description="Longest silence of a server in a download.")
    webhook_private_hosts: list[str] = Field(
        [], description="Hosts (HOST or HOST:PORT) on private addresses that webhooks may call, also without TLS."
    )
    trigger_depth: int = Field(
        8, ge=1, le=50, description="How many triggers may follow from each other before the chain is stopped."
    )
    huggingface_url: str = Field("https://huggingface.co", description="Address of Hugging Face or a mirror of it.")
    civitai_url: str = Field("https://civitai.com", description="Address of CivitAI or a mirror of it.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of the sources: arguments, environment, `x121.toml`."""
        init_home = getattr(init_settings, "init_kwargs", {}).get("home")
        home = Path(init_home) if init_home else default_home()
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / "x121.toml")

    @cached_property
    def artifacts_dir(self) -> Path:
        """Folder of the content-addressed artifact store."""
        return self.artifacts.expanduser() if self.artifacts is not None else self.home / "artifacts"

    @cached_property
    def log_dir(self) -> Path:
        """Folder of the log files."""
        return self.home / "logs"

    @cached_property
    def secrets_dir(self) -> Path:
        """Folder (mode 0700) of generated secrets: database password, cookie key, data key."""
        return self.home / "secrets"

    @cached_property
    def engine_dir(self) -> Path:
        """Folder that holds the local engines' input and output."""
        return self.home / "engines"
