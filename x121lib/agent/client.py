"""How the studio asks an agent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from x121lib.agent.vitals import Report
from x121lib.base.errors import X121Error


class AgentError(X121Error):
    """An agent does not answer, refuses, or is none."""

    code = "agent.error"


class AgentClient:
    """One agent, asked request by request.

    Every method raises `AgentError` where nothing answers, the key is wrong, or the answer is not an agent's.
    """

    def __init__(self, url: str, key: str, *, timeout_s: float = 4.0) -> None:
        self._url, self._key, self._timeout_s = url, key, timeout_s

    def vitals(self) -> Report:
        """Return the host's vitals."""
        try:
            return Report.model_validate(self._ask("GET", "/vitals"))
        except ValidationError as error:
            raise AgentError(f"What answers at {self._url} is not an X121 agent.") from error

    def models(self) -> list[dict[str, Any]]:
        """Return path and size in bytes of each file below the host's folder of models."""
        return list(self._ask("GET", "/models"))

    def node_packs(self) -> list[str]:
        """Return the names of the host's node packs."""
        return list(self._ask("GET", "/node-packs"))

    def restart(self, service: str) -> tuple[int, str]:
        """Restart a service that the agent has configured; returns the command's exit code and last words."""
        if not service.replace("-", "").replace("_", "").isalnum():
            raise AgentError(f"'{service}' is no name of a service.")
        answer = self._ask("POST", f"/services/{service}/restart", timeout_s=120.0)
        return int(answer["exit_code"]), str(answer["output"])

    def power_off(self) -> tuple[int, str]:
        """Put the host to sleep or off by its configured command; returns exit code and last words."""
        answer = self._ask("POST", "/power-off", timeout_s=120.0)
        return int(answer["exit_code"]), str(answer["output"])

    def packs(self) -> list[dict[str, Any]]:
        """Return the packs that the host allows: name, repo, commit, and the commit that is installed."""
        return list(self._ask("GET", "/packs", timeout_s=60.0))

    def install_pack(self, pack: str) -> dict[str, Any]:
        """Bring a pack that the host allows to its pinned commit; returns name, commit, and the commit before."""
        if not all(c.isascii() and (c.isalnum() or c in "._-") for c in pack) or not pack:
            raise AgentError(f"'{pack}' is no name of a pack.")
        return dict(self._ask("POST", f"/packs/{pack}/install", timeout_s=1800.0))

    def file_state(self, path: str, sha256: str) -> dict[str, Any]:
        """Return what lies under a path of the host's models: ``state``, ``n_bytes``, ``sha256``, ``part_bytes``."""
        return dict(self._ask("GET", f"/model-files/{quote(path)}?sha256={sha256}", timeout_s=600.0))

    def forget_file(self, path: str, sha256: str) -> None:
        """Delete the part of a model that is not to be sent any more; a whole file stays."""
        self._ask("DELETE", f"/model-files/{quote(path)}?sha256={sha256}", timeout_s=60.0)

    def send_file(
        self, path: str, sha256: str, span: tuple[int, int], body: Iterator[bytes], replaces: str = ""
    ) -> dict[str, Any]:
        """Send a model from a byte on; returns its new state.

        Args:
            path: path below the host's folder of models.
            sha256: hash of the whole file.
            span: that byte, and the bytes of the whole.
            body: the rest.
            replaces: SHA-256 of the older version that it replaces; empty: it replaces nothing.
        """
        query = f"sha256={sha256}&at={span[0]}&n_bytes={span[1]}&replaces={replaces}"
        return dict(self._ask("PUT", f"/model-files/{quote(path)}?{query}", timeout_s=600.0, body=body))

    def _ask(self, method: str, path: str, timeout_s: float | None = None, body: Iterator[bytes] | None = None) -> Any:
        try:
            response = httpx.request(
                method, self._url + path, headers={"Authorization": f"Bearer {self._key}"},
                timeout=timeout_s or self._timeout_s, trust_env=False, content=body,
            )  # fmt: skip
            answer = response.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AgentError(f"The agent at {self._url} does not answer.", hint="Is 'x121 agent' running?") from error
        except ValueError as error:
            raise AgentError(f"What answers at {self._url} is not an X121 agent.") from error
        if response.status_code != 200:
            said = answer.get("message") if isinstance(answer, dict) else None
            raise AgentError(f"The agent at {self._url} refused: {said or response.status_code}")
        return answer
