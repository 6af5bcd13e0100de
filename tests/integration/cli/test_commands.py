"""Commands: tables and JSON, one line for a refusal, exit codes."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import Result

from x121lib.testing.small_studio import PORTRAITS, write_recipe

X121 = Callable[..., Result]


def test_projects_are_created_listed_and_shown(x121: X121) -> None:
    assert "Next: x121 import 'Borealis'" in x121("project", "create", "Borealis").stdout
    assert [p["project"] for p in json.loads(x121("project", "list", "--json").stdout)] == ["Aurora", "Borealis"]
    shown = json.loads(x121("project", "show", "Aurora", "--json").stdout)
    assert [c["character"] for c in shown] == ["Aiko", "Lena"]
    refused = x121("project", "create", "aurora", code=1)
    assert refused.stderr.strip() == "x121: There is a project 'Aurora' already. Choose another name."
    assert refused.stdout == ""


def test_an_unknown_project_names_the_known_ones(x121: X121) -> None:
    for command in (("matrix",), ("review",), ("project", "show"), ("submit",), ("variant", "list")):
        assert "Projects: Aurora." in x121(*command, "Nowhere", code=1).stderr


@pytest.mark.parametrize(
    "arguments",
    [("deliver", "Aurora"), ("submit",), ("nonsense",), ("project", "create"), ("variant", "make", "Aurora"),
     ("release", "revoke", "no-uuid", "--reason", "x"), ("submit", "Aurora", "--at", "soon")],
)  # fmt: skip
def test_wrong_usage_exits_with_2(x121: X121, arguments: tuple[str, ...]) -> None:
    x121(*arguments, code=2)


def test_import_looks_first_and_then_imports(x121: X121, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(PORTRAITS / "Jonas", folder / "Jonas")
    looked = json.loads(x121("import", "Aurora", folder, "--synthetic", "--dry-run", "--json").stdout)
    assert [(r["character"], r["result"]) for r in looked] == [("Jonas", "would be imported")]
    assert len(json.loads(x121("project", "show", "Aurora", "--json").stdout)) == 2
    assert "imported" in x121("import", "Aurora", folder, "--synthetic").stdout
    assert len(json.loads(x121("project", "show", "Aurora", "--json").stdout)) == 3
    assert "whose likeness" in x121("import", "Aurora", folder, code=1).stderr


def test_a_bad_image_exits_with_1_and_names_the_file(x121: X121, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "Jane"
    folder.mkdir(parents=True)
    (folder / "portrait.png").write_bytes(b"no image at all")
    result = x121("import", "Aurora", tmp_path / "in", "--synthetic", code=1)
    assert "portrait.png" in result.stderr
    assert "refused" in result.stdout
    assert "No image was found" in x121("import", "Aurora", tmp_path / "home", "--synthetic", code=1).stdout


def test_variants_are_queued_and_idleness_is_said(x121: X121) -> None:
    made = x121("variant", "make", "Aurora", "--kind", "evening", "-c", "Aiko")
    assert "1 images are queued" in made.stdout
    assert "x121 up" in made.stderr
    assert "Nothing to make" in x121("variant", "make", "Aurora", "--kind", "evening", "-c", "Aiko").stdout
    refused = x121("variant", "approve", "Aurora", "--kind", "evening", code=1)
    assert "Aiko has no image of kind 'evening'" in refused.stderr
    rows = json.loads(x121("variant", "list", "Aurora", "--json").stdout)
    assert {(r["character"], r["kind"], r["status"]) for r in rows} >= {("Aiko", "evening", "Pending")}


def test_submit_says_what_it_would_do_and_what_is_blocked(x121: X121, tmp_path: Path) -> None:
    x121("scene-type", "load", write_recipe(tmp_path / "r", "nod", variants='["clothed", "evening"]'))
    assert {t["scene_type"] for t in json.loads(x121("scene-type", "list", "--json").stdout)} == {"nod", "sway"}
    dry = json.loads(x121("submit", "Aurora", "--dry-run", "--json").stdout)
    assert sorted(r["result"] for r in dry) == ["blocked"] * 2 + ["queue"] * 4
    assert json.loads(x121("queue", "--json").stdout) == []
    refused = x121("submit", "Aurora", code=1)
    assert "2 scenes are blocked" in refused.stderr
    assert "--skip-blocked" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    done = x121("submit", "Aurora", "-s", "sway", "-c", "Aiko", "--priority", "urgent")
    assert "1 scenes are queued" in done.stdout
    assert "No consumer runs" in done.stderr
    assert "x121 up" in done.stderr
    waiting = json.loads(x121("queue", "--json").stdout)
    assert [(r["segment"], r["priority"]) for r in waiting] == [(1, 80), (2, 80), (3, 80)]
    cells = json.loads(x121("matrix", "Aurora", "--json").stdout)
    assert len(cells) == 6
    assert "no priority 'soon'" in x121("submit", "Aurora", "--priority", "soon", code=1).stderr
    assert "no tier 'gold'" in x121("submit", "Aurora", "-s", "sway", "--tier", "gold", code=1).stderr


def test_work_for_later_is_scheduled(x121: X121) -> None:
    x121("submit", "Aurora", "--at", "2100-01-01T03:00:00")
    assert {r["status"] for r in json.loads(x121("queue", "--json").stdout)} == {"Scheduled"}


def test_review_and_deliver(x121_reviewed: X121, tmp_path: Path) -> None:
    out = tmp_path / "aurora.zip"
    refused = x121_reviewed("deliver", "Aurora", "--out", out, code=1)
    assert "not complete, nothing was written" in refused.stderr
    assert "Lena: idle.mp4 was never generated." in refused.stderr
    assert not out.exists()
    assert "3 scenes approved, 0 left" in x121_reviewed("review", "Aurora", "--approve-passing").stdout
    rows = json.loads(x121_reviewed("review", "Aurora", "--json").stdout)
    assert {r["status"] for r in rows} == {"Approved"}
    done = x121_reviewed("deliver", "Aurora", "--out", out, "--partial")
    assert done.stdout.strip().splitlines()[-1] == str(out)
    assert zipfile.is_zipfile(out)


def test_json_stays_json_after_approving(x121_reviewed: X121) -> None:
    rows = json.loads(x121_reviewed("review", "Aurora", "--approve-passing", "--json").stdout)
    assert {r["status"] for r in rows} == {"Approved"}


def test_watch_ends_when_nothing_is_left(x121_reviewed: X121) -> None:
    result = x121_reviewed("watch", "Aurora")
    assert "No consumer" not in result.stderr
    assert "3 in review" in result.stderr


def test_export_writes_tables(x121_reviewed: X121, tmp_path: Path) -> None:
    to = tmp_path / "aurora.duckdb"
    x121_reviewed("export", "Aurora", "--to", to)
    with duckdb.connect(str(to), read_only=True) as connection:
        assert connection.sql("SELECT count(*) FROM scenes").fetchall() == [(3,)]
        assert connection.sql("SELECT count(*) FROM takes").fetchall() == [(9,)]


def test_doctor_says_what_to_do_and_exits_with_1(x121: X121) -> None:
    rows = json.loads(x121("doctor", "--json", code=1).stdout)
    found = [r["what"] for r in rows if not r["ok"]]
    # Other runs on this machine may have left database folders behind: the doctor names those too.
    assert [what for what in found if not what.startswith("Database folder")] == ["No GPU worker is known"]
    assert "x121 up" in x121("doctor", code=1).stdout


def test_rights_by_command(x121: X121, tmp_path: Path) -> None:
    document = tmp_path / "release.pdf"
    document.write_bytes(b"%PDF-1.4")
    assert "adult" in x121("release", "add", "Ada", "--document", document, code=1).stderr
    x121("release", "add", "Ada", "--document", document, "--adult-verified", "--variant", "clothed")
    (row,) = json.loads(x121("release", "list", "--json").stdout)
    assert (row["performer"], row["variant_kinds"], row["revoked_at"]) == ("Ada", "clothed", None)
    assert "0 queued tasks" in x121("release", "revoke", row["release_id"], "--reason", "Asked").stdout
    assert "already revoked" in x121("release", "revoke", row["release_id"], "--reason", "Asked", code=1).stderr


def test_workers_and_people_by_command(x121: X121, engine_url: str) -> None:
    assert "is online" in x121("worker", "add", engine_url, "--name", "engine").stdout
    assert "is offline" in x121("worker", "add", "http://127.0.0.1:9", "--name", "dead").stdout
    rows = json.loads(x121("worker", "list", "--json").stdout)
    assert {r["name"]: r["status"] for r in rows} == {"dead": "offline", "engine": "online"}
    x121("workflow", "check", "sway_graph")
    assert len(json.loads(x121("worker", "show", "engine", "--json").stdout)[0]["node_classes"]) > 5
    x121("worker", "set", "engine", "--rename", "first", "--tag", "big")
    x121("worker", "maintenance", "first", "--reason", "New fan")
    assert "New fan" in x121("worker", "history", "first").stdout
    assert "is online" in x121("worker", "resume", "first").stdout
    assert "big" in x121("worker", "show", "first").stdout
    assert "no workflow 'none'" in x121("worker", "require", "none", "big", code=1).stderr
    x121("worker", "set", "first", "--rename", "engine", "--no-tags")
    x121("worker", "drain", "engine")
    x121("worker", "remove", "dead")
    assert "no worker 'dead'" in x121("worker", "drain", "dead", code=1).stderr
    x121("worker", "add", "file:///etc/passwd", code=1)
    x121("person", "add", "Rita", "rita@example.com", "--role", "reviewer", "--password", "correct horse battery")
    assert "Rita" in {p["name"] for p in json.loads(x121("person", "list", "--json").stdout)}
    assert "no role 'boss'" in x121(
        "person", "add", "B", "b@example.com", "--role", "boss", "--password", "correct horse battery", code=1
    ).stderr  # fmt: skip


def test_database_status(x121: X121) -> None:
    (facts,) = json.loads(x121("db", "status", "--json").stdout)
    assert facts["up_to_date"] is True
    assert facts["server"] == "X121_DATABASE_URL"
    assert "is at" in x121("db", "upgrade").stdout
