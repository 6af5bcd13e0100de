"""The runner of the benchmarks: rows, files, failures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import run

GOOD = """
def bench():
    row = {"unit": "s", "against": "them", "ratio": 0.5, "note": "lower is better"}
    return [{"name": "first_s", "value": 1.0, **row}, {"name": "second_s", "value": 2.0, **row}]
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bench_good.py").write_text(GOOD)
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.chdir(tmp_path)


def _names() -> list[str]:
    return [row["name"] for row in json.loads(Path("bench.json").read_text())]


def test_rows_are_printed_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main([]) == 0
    assert _names() == ["first_s", "second_s"]
    assert set(json.loads(Path("bench.json").read_text())[0]) == set(run.FIELDS)
    assert "second_s" in capsys.readouterr().out


def test_one_row_can_be_asked_for() -> None:
    assert run.main(["second_s"]) == 0
    assert _names() == ["second_s"]


def test_a_failing_benchmark_is_reported_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bench_broken.py").write_text("def bench():\n    raise RuntimeError('no such luck')\n")
    assert run.main([]) == 1
    assert _names() == ["first_s", "second_s"]
    told = capsys.readouterr()
    assert "no such luck" in told.err
    assert "Failed: bench_broken" in told.out


def test_a_row_without_all_fields_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bench_short.py").write_text("def bench():\n    return [{'name': 'short', 'value': 1}]\n")
    assert run.main(["short"]) == 1
    assert "has no unit, against, ratio, note" in capsys.readouterr().err


def test_an_unknown_name_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["nothing_like_it"]) == 1
    assert "No benchmark is called 'nothing_like_it'" in capsys.readouterr().out
