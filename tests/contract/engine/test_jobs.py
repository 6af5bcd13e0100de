"""Jobs: what waits, runs and has ended under one address, and cancelling by id. ComfyUI 0.3 has none of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.contract.engine.test_queue import Busy, ids, queue_up


def jobs(comfy: Any, **query: Any) -> list[dict[str, Any]] | None:
    """Return the jobs; None where the server has no such call, which only ComfyUI 0.3 may."""
    answer = comfy.http.get("/api/jobs", params=query)
    if answer.status_code == 404:
        assert comfy.http.get("/system_stats").json()["system"]["comfyui_version"].startswith("0.3.")
        return None
    assert answer.status_code == 200
    assert set(answer.json()["pagination"]) == {"offset", "limit", "total", "has_more"}
    return answer.json()["jobs"]


def test_a_job_that_ended_tells_times_outputs_and_graph(comfy: Any, quick: dict[str, Any]) -> None:
    prompt_id = str(uuid.uuid4())
    entry, _ = comfy.play(quick, prompt_id=prompt_id)
    found = jobs(comfy, status="completed", limit=1)
    if found is None:
        return
    (job,) = found
    assert (job["id"], job["status"], job["outputs_count"]) == (prompt_id, "completed", 1)
    assert job["create_time"] <= job["execution_start_time"] <= job["execution_end_time"]
    shown = entry["outputs"]["2"]["images"][0]
    assert job["preview_output"] == {**shown, "nodeId": "2", "mediaType": "images"}
    whole = comfy.http.get(f"/api/jobs/{prompt_id}").json()
    assert {key: whole[key] for key in job} == job
    assert (whole["outputs"], whole["workflow"]["prompt"]) == (entry["outputs"], quick)
    assert whole["execution_status"] == entry["status"]


def test_a_failed_job_tells_its_error(comfy: Any) -> None:
    def empty(n: int) -> dict[str, Any]:
        return {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": n, "color": 1}}

    blend = {"image1": ["1", 0], "image2": ["2", 0], "blend_factor": 0.5, "blend_mode": "multiply"}
    graph = {"1": empty(2), "2": empty(3), "3": {"class_type": "ImageBlend", "inputs": blend},
             "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}}}  # fmt: skip
    prompt_id = str(uuid.uuid4())
    comfy.play(graph, prompt_id=prompt_id)
    if jobs(comfy) is None:
        return
    job = comfy.http.get(f"/api/jobs/{prompt_id}").json()
    assert (job["status"], job["execution_error"]["node_id"]) == ("failed", "3")


def test_cancelling_takes_out_what_waits_and_interrupts_what_runs(
    comfy: Any, slow: dict[str, Any], quick: dict[str, Any]
) -> None:
    if jobs(comfy) is None:
        assert comfy.http.post(f"/api/jobs/{uuid.uuid4()}/cancel").status_code in (404, 405)
        return
    with Busy(comfy, slow) as busy:
        first, second = queue_up(comfy, quick), queue_up(comfy, quick)
        told = {job["id"]: job["status"] for job in jobs(comfy, status="pending,in_progress") or []}
        assert told == {busy.prompt_id: "in_progress", first: "pending", second: "pending"}

        def cancel(prompt_id: str) -> Any:
            return comfy.http.post(f"/api/jobs/{prompt_id}/cancel").json()

        assert cancel(first) == {"cancelled": True}
        assert ids(comfy) == ([busy.prompt_id], [second])
        assert cancel(busy.prompt_id) == {"cancelled": True}
        assert busy.wait_for("execution_interrupted")["prompt_id"] == busy.prompt_id
        assert busy.wait_for("executing")["node"] is None
        assert cancel(busy.prompt_id) == cancel(str(uuid.uuid4())) == {"cancelled": False}
        assert comfy.http.get(f"/api/jobs/{busy.prompt_id}").json()["status"] == "cancelled"
        assert comfy.http.get(f"/api/jobs/{first}").status_code == 404


@pytest.mark.parametrize("query", [{"status": "odd"}, {"sort_by": "name"}, {"sort_order": "up"}, {"limit": "0"},
                                   {"limit": "x"}, {"offset": "x"}])  # fmt: skip
def test_a_wrong_question_is_refused(comfy: Any, query: dict[str, str]) -> None:
    if jobs(comfy) is not None:
        answer = comfy.http.get("/api/jobs", params=query)
        assert answer.status_code == 400
        assert answer.json()["error"]
