"""A small real studio: project Aurora with the character Mira, one short scene, made by a real engine and consumer."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from x121lib import Studio
from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.base.resources import resource_path
from x121lib.base.settings import Settings
from x121lib.cli.processes import Supervisor
from x121lib.studio.database import uninstall


@dataclass
class Home:
    """Where the studio lies."""

    settings: Settings

    @contextmanager
    def processes(self, studio: Studio) -> Iterator[None]:
        """Run one engine and one consumer, kept alive."""
        supervisor = Supervisor(studio, engines=1, web=False, stopping=threading.Event())
        supervisor.start()
        supervisor.wait_ready()
        keeper = threading.Thread(target=supervisor.run)
        keeper.start()
        try:
            yield
        finally:
            supervisor.stopping.set()
            keeper.join()
            supervisor.stop()


def _short_dance(folder: Path) -> Path:
    """Return a scene type of one second in two segments, small."""
    source = resource_path("data", "scene_types", "dance.toml").read_text(encoding="utf-8")
    for old, new in (
        ('qa_profile = "high_motion"', 'qa_profile = "lenient"'),
        ("target_duration_s = 6.0", "target_duration_s = 1.0"),
        ("segment_duration_s = 2.0", "segment_duration_s = 0.5"),
        ('variants = ["clothed", "evening"]', 'variants = ["clothed"]'),
        ('workflow = "dance.json"', f'workflow = "{resource_path("data", "workflows", "dance.json")}"'),
    ):
        assert old in source
        source = source.replace(old, new)
    path = folder / "dance.toml"
    path.write_text(source, encoding="utf-8")
    return path


def _add_lenient_profile(studio: Studio) -> None:
    """Add gates that no seed fails, so that the scene always gets its cut: what is tested here is showing it."""
    bounds = {"readable": 1.0, "face_similarity": -1.0, "seam_ssim": -1.0, "sharpness_ratio": 0.0}
    with studio.transaction() as session:
        profile = m.QaProfile(id=new_id(), name="lenient")
        version = m.QaProfileVersion(id=new_id(), profile_id=profile.id, number=1, content_hash="0" * 64)
        session.add_all([profile, version])
        session.flush()
        metrics = session.scalars(sa.select(m.Metric).where(m.Metric.name.in_(bounds)))
        for metric in metrics:
            warn = 2.0 if metric.name == "seam_ssim" else None
            gate = m.QaGate(id=new_id(), profile_version_id=version.id, metric_id=metric.id, warn_below=warn)
            gate.fail_below = bounds[metric.name]
            session.add(gate)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("studio")
    settings = Settings(home=folder / "home")
    portraits = folder / "portraits" / "Mira"
    portraits.mkdir(parents=True)
    shutil.copy(resource_path("data", "sample", "characters", "Mara", "portrait.png"), portraits)
    with Studio.open(settings=settings) as studio:
        studio.add_variant_kind("clothed", prefix="")
        _add_lenient_profile(studio)
        studio.load_scene_type(_short_dance(folder))
        aurora = studio.create_project("Aurora")
        assert not aurora.import_folder(folder / "portraits", synthetic=True).refused
    yield Home(settings)
    uninstall(settings, purge=True)
