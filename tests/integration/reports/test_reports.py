"""The library as its readers use it, and the notebooks as `x121 report` runs them, against one real studio."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.reports.conftest import Home
from x121lib import Studio
from x121lib.base.resources import resource_path

ELSEWHERE = re.compile(r"""(?:src|href)\s*=\s*(?!["']?(?:data:|#))|url\((?!["']?data:)|@import|<script|https?://""")


def _environment(home: Home) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "X121_DATABASE_URL"}
    return kept | {"X121_HOME": str(home.settings.home)}


def _report(home: Home, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "x121lib.cli.main", "report", *arguments]
    return subprocess.run(command, env=_environment(home), cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.timeout(300)
def test_the_library_reads_as_promised(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X121_HOME", str(home.settings.home))
    monkeypatch.delenv("X121_DATABASE_URL", raising=False)
    with Studio.open() as studio, home.processes(studio):
        aurora = studio.project("Aurora")
        assert "Not started" in aurora.matrix()._repr_html_()
        batch = aurora.submit(scene_types=["dance"], tier="draft")
        assert list(batch.scenes["result"]) == ["queued"]
        assert batch.watch().over
        scene = aurora.scene("Mira", "dance", "clothed")
        assert scene.head()["tier"] == "Draft"
        scores = scene.scores()
        assert not scores.duplicated(["segment", "take", "metric"]).any()
        assert set(scores["segment"]) == {1, 2}
        assert set(scores[scores["metric"] == "seam_ssim"]["outcome"]) == {"borderline"}
        assert set(scores["outcome"]) == {"passed", "borderline", ""}
        html = scene._repr_html_()
        assert html.count("<img") == 2
        assert html.count("data:image/webp;base64,") == 2
        assert "face similarity" in html
        assert "AI-generated" in html
        assert "Aurora" in studio._repr_html_()


@pytest.mark.timeout(300)
def test_the_production_report_is_one_page_with_figures(home: Home, tmp_path: Path) -> None:
    done = _report(home, "production_report", "-p", "project=Aurora", "--out", "page.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "page.html")
    assert done.stderr == ""
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for text in ("Mira / dance / clothed", "gpu_hours", "gpu_s_per_video_s", "engine-1", "gates without a doubt"):
        assert text in page
    assert "Traceback" not in page
    assert [m.group() for m in ELSEWHERE.finditer(page)] == []
    assert (tmp_path / "page.executed.ipynb").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["page.executed.ipynb", "page.html"]


@pytest.mark.timeout(300)
def test_the_batch_run_takes_typed_parameters(home: Home, tmp_path: Path) -> None:
    given = ("-p", "scene_types=dance, ", "-p", "characters=['Mira']", "-p", "tier=none", "-p", "dry_run=yes")
    done = _report(home, "batch_run", *given, "--out", "run.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "there already" in page
    assert "Mira / dance / clothed" in page


@pytest.mark.timeout(300)
def test_the_queue_simulation_shows_waiting_and_fairness(home: Home, tmp_path: Path) -> None:
    given = ("-p", "characters=2", "-p", "scene_types=4", "-p", "workers=2")
    done = _report(home, "queue_simulation", *given, "--out", "sim.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "sim.html").read_text(encoding="utf-8")
    for text in ("scenes of 6 takes in a week on 2 GPUs", "Fairness while everybody waits", "wait_p95_min", "Ada"):
        assert text in page
    assert [m.group() for m in ELSEWHERE.finditer(page)] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("batch_run", "-p", "project=Nope"), "There is no project 'Nope'"),
        (("batch_run", "-p", "colour=red"), "has no parameter 'colour'. Known: home, project"),
        (("batch_run", "-p", "wait=perhaps"), "Parameter 'wait' is yes or no, not 'perhaps'."),
        (("weekly",), "no report 'weekly'"),
    ],
)
def test_a_report_that_cannot_be_made_says_why_in_one_line(
    home: Home, tmp_path: Path, arguments: tuple[str, ...], line: str
) -> None:
    done = _report(home, *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert line in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(400)
def test_every_cell_of_every_notebook_runs(home: Home, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "-p", "no:cacheprovider",
        "-c", os.devnull, "-W", "ignore", str(resource_path("notebooks")),
    ]  # fmt: skip
    env = _environment(home) | {"IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " failed" not in done.stdout


def test_the_committed_notebooks_hold_no_outputs() -> None:
    for path in resource_path("notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert '"outputs": []' in text
        assert '"output_type"' not in text
        assert re.search(r'"execution_count": (?!null)', text) is None
        assert "def " not in text
        assert '"parameters"' in text
