"""Node packs through the agent: only configured ones, only at their commit; a local repository stands for the web."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.integration.agent.test_agent import made, running
from x121lib import model as m
from x121lib.agent import config
from x121lib.agent.client import AgentClient, AgentError
from x121lib.base.errors import ForbiddenError, InvalidInputError
from x121lib.studio import Studio
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import EventKind, RoleName
from x121lib.testing.fake_nvml import FakeNvml


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def commits(tmp_path: Path) -> list[str]:
    """Make a repository with two commits; returns them, the older first."""
    repo, found = tmp_path / "repo", []
    repo.mkdir()
    git(repo, "init", "-q")
    for text in ("one", "two"):
        (repo / "__init__.py").write_text(f"{text} = 1\n")
        git(repo, "add", ".")
        git(repo, "commit", "-q", "-m", text)
        found.append(git(repo, "rev-parse", "HEAD"))
    return found


def allowing(folder: Path, commit: str, **more: object) -> config.AgentConfig:
    (folder / "packs").mkdir(exist_ok=True)
    pack = {"repo": str(folder / "repo"), "commit": commit, **more}
    return made(folder, node_packs=folder / "packs", packs={"Extra": pack})


def test_a_pack_comes_at_its_commit_and_moves_to_another(tmp_path: Path, commits: list[str]) -> None:
    first, second = commits
    with running(allowing(tmp_path, first, after=["touch", "mark"]), FakeNvml()) as (url, key):
        client = AgentClient(url, key)
        assert client.packs()[0]["installed"] == ""
        assert client.install_pack("Extra") == {"name": "Extra", "commit": first, "before": ""}
        assert client.packs()[0]["installed"] == first
        with pytest.raises(AgentError, match=r"No pack 'Other' is configured here\. There are: Extra"):
            client.install_pack("Other")
        with pytest.raises(AgentError, match="no name of a pack"):
            client.install_pack("../Extra")
        with pytest.raises(AgentError, match="wrong"):
            AgentClient(url, "x").install_pack("Extra")
    place = tmp_path / "packs" / "Extra"
    assert (place / "__init__.py").read_text() == "one = 1\n"
    assert (place / "mark").exists()
    with running(allowing(tmp_path, second), FakeNvml()) as (url, key):
        assert AgentClient(url, key).install_pack("Extra")["before"] == first
        assert (place / "__init__.py").read_text() == "two = 1\n"


def test_what_can_not_be_installed_leaves_the_folder_as_it_was(tmp_path: Path, commits: list[str]) -> None:
    with (
        running(allowing(tmp_path, "0" * 40), FakeNvml()) as (url, key),
        pytest.raises(AgentError, match="git checkout"),
    ):
        AgentClient(url, key).install_pack("Extra")
    packs = tmp_path / "packs"
    assert list(packs.iterdir()) == []
    (packs / "Extra").mkdir()
    with running(allowing(tmp_path, commits[0]), FakeNvml()) as (url, key):
        with pytest.raises(AgentError, match="no git repository"):
            AgentClient(url, key).install_pack("Extra")
        (packs / "Extra").rmdir()
        AgentClient(url, key).install_pack("Extra")
    (packs / "Extra" / "__init__.py").write_text("mine\n")
    with running(allowing(tmp_path, commits[1]), FakeNvml()) as (url, key):
        client = AgentClient(url, key)
        with pytest.raises(AgentError, match="changed by hand"):
            client.install_pack("Extra")
    assert (packs / "Extra" / "__init__.py").read_text() == "mine\n"


@pytest.mark.parametrize("wrong", [{"commit": "main"}, {"repo": "ext::sh -c x"}, {"repo": "--upload-pack=x"}])
def test_a_pack_without_a_full_commit_or_a_plain_repository_is_no_configuration(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    pack = {"repo": "https://example.com/x", "commit": "a" * 40} | wrong
    (tmp_path / "a.toml").write_text(
        f"key_file = 'k'\n[packs.Extra]\nrepo = '{pack['repo']}'\ncommit = '{pack['commit']}'\n"
    )
    with pytest.raises(InvalidInputError, match=rf"packs\.Extra\.{next(iter(wrong))}"):
        config.load(tmp_path / "a.toml")


@pytest.mark.capability("PRD-43/missing-node-installer")
def test_only_an_admin_installs_and_both_ends_are_logged(
    stocked: Studio, engine_url: str, tmp_path: Path, commits: list[str]
) -> None:
    stocked.workers.add(engine_url, name="gpu-1", engine=True)
    creator = stocked.as_actor(Actor(None, "creator", ROLE_PERMISSIONS[RoleName.CREATOR]))
    with running(allowing(tmp_path, commits[0]), FakeNvml()) as (url, key):
        stocked.agents.attach("gpu-1", url, key)
        with pytest.raises(ForbiddenError):
            creator.agents.install_pack("gpu-1", "Extra")
        assert stocked.agents.install_pack("gpu-1", "Extra")["commit"] == commits[0]
        assert list(stocked.agents.packs("gpu-1")["installed"]) == [commits[0]]
        with pytest.raises(AgentError):
            stocked.agents.install_pack("gpu-1", "Other")
    with stocked.transaction() as session:
        entry = m.AuditEntry
        logged = list(session.scalars(sa.select(entry.after).where(entry.action == "worker.install_pack")))
        event = session.scalars(
            sa.select(m.Event.payload).where(m.Event.kind_id == EventKind.NODE_PACK_INSTALLED)
        ).one()
    assert [facts["pack"] for facts in logged] == ["Extra", "Other"]
    assert "No pack 'Other'" in logged[1]["trouble"]
    assert event == {"pack": "Extra", "commit": commits[0], "before": ""}
