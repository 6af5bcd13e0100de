"""A small studio with real portraits, tiny workflows and a clock that tests can move."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from x121lib import bootstrap
from x121lib.base.clock import system_now
from x121lib.base.settings import Settings
from x121lib.qa import service as qa
from x121lib.qa.profiles import Profile
from x121lib.studio import Studio
from x121lib.terms.quality import Gate
from x121lib.terms.roles import SYSTEM

DATA = Path(__file__).resolve().parents[2] / "data"
PORTRAITS = DATA / "sample" / "characters"
LENIENT = Profile(
    "lenient",
    "For tiny takes of noise: the file must be whole and show something that moves.",
    (
        Gate("readable", fail_below=1), Gate("decode_errors", fail_above=0), Gate("frame_count_error", fail_above=0),
        Gate("size_error", fail_above=0), Gate("black_frames", fail_above=0), Gate("frozen_run", fail_above=0.3),
    ),
)  # fmt: skip
NEW_FRAMES = 12
"""Frames that a tiny take adds to its scene: half a second."""


@dataclass
class Clock:
    """The system's clock, moved on by `advance`."""

    offset: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """Return the time that the studio believes in."""
        return system_now() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self.offset += timedelta(seconds=seconds)


def tiny_graph(fault: str = "") -> dict[str, Any]:
    """Return a workflow of a few nodes: the seed frame, then the seed under noise.

    Args:
        fault: ``black`` shows nothing after the seed, ``frozen`` repeats it, ``slow`` works for seconds in each of
            four nodes, ``broken`` raises in node 4, ``unknown`` names a node class that no server has, ``warm`` lets
            the colour run away: each take ends a little more orange than it began.
    """
    grey = {"width": 8, "height": 10, "batch_size": NEW_FRAMES, "color": 8421504}
    graph: dict[str, Any] = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "seed.png"}, "_meta": {"title": "seed_image"}},
        "2": _scaled(["1", 0], "area"),
        "3": {"class_type": "EmptyImage", "inputs": grey},
        "4": {"class_type": "ImageAddNoise", "inputs": {"image": ["3", 0], "seed": 0, "strength": 0.5}},
        "5": _scaled(["4", 0], "bilinear"),
        "6": {"class_type": "RepeatImageBatch", "inputs": {"image": ["2", 0], "amount": NEW_FRAMES}},
        "7": {"class_type": "ImageBlend",
              "inputs": {"image1": ["6", 0], "image2": ["5", 0], "blend_factor": 0.08, "blend_mode": "normal"}},
        "8": {"class_type": "ImageBatch", "inputs": {"image1": ["2", 0], "image2": ["7", 0]}},
        "9": {"class_type": "CreateVideo", "inputs": {"images": ["8", 0], "fps": 24}},
        "10": {"class_type": "SaveVideo",
               "inputs": {"video": ["9", 0], "filename_prefix": "x", "format": "mp4", "codec": "h264"}},
    }  # fmt: skip
    if fault == "black":
        dark = {"width": 256, "height": 320, "batch_size": NEW_FRAMES, "color": 0}
        graph["7"] = {"class_type": "EmptyImage", "inputs": dark}
    elif fault == "frozen":
        graph["8"]["inputs"]["image2"] = ["6", 0]
    elif fault == "slow":
        _slow_down(graph)
    elif fault == "broken":
        graph["4"] = {"class_type": "ImageBlur", "inputs": {"image": ["3", 0], "blur_radius": 31, "sigma": 1.0}}
    elif fault == "warm":
        orange = {"width": 256, "height": 320, "batch_size": NEW_FRAMES, "color": 0xFF8040}
        graph["28"] = {"class_type": "EmptyImage", "inputs": orange}
        inputs = {"image1": ["7", 0], "image2": ["28", 0], "blend_factor": 0.06, "blend_mode": "normal"}
        graph["29"] = {"class_type": "ImageBlend", "inputs": inputs}
        graph["8"]["inputs"]["image2"] = ["29", 0]
    elif fault == "unknown":
        graph["7"]["class_type"] = "NoServerHasThis"
    return graph


def _slow_down(graph: dict[str, Any]) -> None:
    """Put four slow nodes, each after the other, before the blend; what they make is not seen."""
    large = {"width": 320, "height": 320, "batch_size": NEW_FRAMES, "color": 255}
    graph["20"] = {"class_type": "EmptyImage", "inputs": large}
    noise = {"image": ["20", 0], "seed": 0, "strength": 1.0}
    graph["21"] = {"class_type": "ImageAddNoise", "inputs": noise}
    for node in range(22, 26):
        inputs = {"image": [str(node - 1), 0], "colors": 255 - node, "dither": "bayer-16"}
        graph[str(node)] = {"class_type": "ImageQuantize", "inputs": inputs}
    graph["26"] = _scaled(["25", 0], "area")
    inputs = {"image1": ["5", 0], "image2": ["26", 0], "blend_factor": 0.0, "blend_mode": "normal"}
    graph["27"] = {"class_type": "ImageBlend", "inputs": inputs}
    graph["7"]["inputs"]["image2"] = ["27", 0]


def _scaled(image: list[Any], method: str) -> dict[str, Any]:
    inputs = {"image": image, "upscale_method": method, "width": 256, "height": 320, "crop": "disabled"}
    return {"class_type": "ImageScale", "inputs": inputs}


def write_recipe(folder: Path, name: str, *, segments: int = 3, fault: str = "", **changes: Any) -> Path:
    """Write a tiny scene type with its workflow into ``folder`` and return the TOML file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_graph.json").write_text(json.dumps(tiny_graph(fault)))
    keys = {
        "name": f'"{name}"', "workflow": f'"{name}_graph.json"', "target_duration_s": f"{segments * 0.5}",
        "segment_duration_s": "0.5", "width": "256", "height": "320", "variants": '["clothed"]',
        "qa_profile": '"lenient"', "text_prompt": '"{character_name}, {hair_color} hair"',
        "repeats_seed_frame": "true",
    } | changes  # fmt: skip
    path = folder / f"{name}.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in keys.items()))
    return path


def open_studio(settings: Settings, clock: Clock | None = None) -> Studio:
    """Open a studio on the settings' database with a clock of the test's."""
    return Studio(bootstrap.open_house(settings, now=clock or Clock()))


def stock(studio: Studio, folder: Path) -> None:
    """Fill a fresh studio: the project Aurora with the drawn Aiko and Lena, and the tiny scene type *sway*."""
    with studio.transaction() as session:
        qa.store_profile(session, SYSTEM, LENIENT)
    studio.add_variant_kind("evening", prefix="evening_", workflow=DATA / "workflows" / "evening.json")
    studio.load_scene_type(write_recipe(folder, "sway"))
    result = studio.create_project("Aurora").import_folder(PORTRAITS, synthetic=True, only=("Aiko", "Lena"))
    if result.refused or len(result.imported) != 2:
        raise AssertionError(result.refused)


def drive(studio: Studio, *, rounds: int = 60) -> int:
    """Do what a consumer does, in this thread, until the tick has nothing to send; returns how many messages ran."""
    done = 0
    for _ in range(rounds):
        messages = studio.work.tick()
        if not messages:
            return done
        for message in messages:
            if message.kind == "task":
                studio.work.run_key(message.key, message.attempt_number)
            else:
                studio.work.assemble_key(message.key)
            done += 1
    raise AssertionError("the queue does not come to rest")


def clone_database(server_url: str, template: str) -> str:
    """Clone a database that nobody is connected to; returns the clone's URL."""
    name = f"clone_{uuid.uuid4().hex[:12]}"
    query = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(query)
    return server_url.rsplit("/", 1)[0] + "/" + name


def drop_database(url: str) -> None:
    """Drop a database, whoever is still connected to it."""
    base, name = url.rsplit("/", 1)
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def make_careless(server_url: str) -> None:
    """Let a test's server wait for no disk: what a crash would lose is thrown away anyway."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


@dataclass(frozen=True)
class Kept:
    """A studio at rest, to be cloned: its database and its home."""

    database: str
    """Name of the database."""
    home: Path
    """The home; copied with every clone."""

    @classmethod
    def of(cls, settings: Settings) -> Kept:
        """Keep the closed studio of these settings, which name its database."""
        assert settings.database_url is not None
        (settings.home / "secrets").mkdir(exist_ok=True)
        return cls(settings.database_url.get_secret_value().rsplit("/", 1)[1], settings.home)

    def clone(self, server_url: str, to: Path) -> Settings:
        """Return settings of a copy of this studio in the folder ``to``."""
        shutil.copytree(self.home / "artifacts", to / "artifacts")
        shutil.copytree(self.home / "secrets", to / "secrets", dirs_exist_ok=True)
        return Settings(home=to, database_url=clone_database(server_url, self.database))
