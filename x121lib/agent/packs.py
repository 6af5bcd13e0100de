"""Node packs that the host's configuration names, each by its repository and one commit: nothing else is installed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from x121lib.agent.commands import execute
from x121lib.agent.config import AgentConfig, Pack

_ENV = {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
_OPTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.fsmonitor=false")


class PackError(Exception):
    """A pack cannot be installed; the folder of packs is as it was."""


async def listing(config: AgentConfig) -> list[dict[str, Any]]:
    """Return each configured pack: name, repository, pinned commit, and the commit that lies there (or empty)."""
    return [
        {"name": name, "repo": pack.repo, "commit": pack.commit, "installed": await _lying(config, name)}
        for name, pack in sorted(config.packs.items())
    ]


async def install(config: AgentConfig, name: str) -> dict[str, Any]:
    """Bring a configured pack to its pinned commit; returns name, commit, and what was there before.

    Raises:
        PackError: its folder holds something else or was changed by hand, or git or the command after it failed.
    """
    pack, folder = config.packs[name], config.node_packs
    if folder is None or not folder.is_dir():
        raise PackError("The agent has no folder 'node_packs' configured, or it does not exist.")
    target, before = folder / name, await _lying(config, name)
    if before != pack.commit:
        if target.exists():
            await _update(config, pack, target)
        else:
            await _fresh(config, pack, target)
    if pack.after is not None:
        code, words = await execute(pack.after, config.install_s, folder=target)
        if code:
            raise PackError(f"The pack lies there, but its command 'after' ended with {code}: {words[-500:].strip()}")
    return {"name": name, "commit": pack.commit, "before": before}


async def _fresh(config: AgentConfig, pack: Pack, target: Path) -> None:
    new = target.with_name(f".{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    try:
        await _git(config, new, "init", "-q")
        await _check_out(config, pack, new)
        new.rename(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


async def _update(config: AgentConfig, pack: Pack, target: Path) -> None:
    if not (target / ".git").is_dir():
        raise PackError(f"'{target.name}' lies there already and is no git repository; move it away first.")
    if (await _git(config, target, "status", "--porcelain", "--untracked-files=no")).strip():
        raise PackError(f"'{target.name}' was changed by hand; nothing was installed over it.")
    await _check_out(config, pack, target)


async def _check_out(config: AgentConfig, pack: Pack, folder: Path) -> None:
    try:
        await _git(config, folder, "fetch", "-q", "--depth", "1", pack.repo, pack.commit)
    except PackError:  # a server that gives no single commit
        await _git(config, folder, "fetch", "-q", pack.repo)
    await _git(config, folder, "checkout", "-q", "--detach", pack.commit)
    found = (await _git(config, folder, "rev-parse", "HEAD")).strip()
    if found != pack.commit:
        raise PackError(f"{pack.repo} gave {found or 'nothing'} instead of {pack.commit}.")


async def _lying(config: AgentConfig, name: str) -> str:
    folder = config.node_packs / name if config.node_packs is not None else None
    if folder is None or not (folder / ".git").is_dir():
        return ""
    try:
        return (await _git(config, folder, "rev-parse", "HEAD")).strip()
    except PackError:
        return ""


async def _git(config: AgentConfig, folder: Path, *words: str) -> str:
    code, output = await execute(
        ("git", *_OPTIONS, "-c", f"safe.directory={folder}", "-C", str(folder), *words), config.install_s, env=_ENV
    )
    if code:
        raise PackError(f"git {words[0]} ended with {code}: {output[-500:].strip()}")
    return output
