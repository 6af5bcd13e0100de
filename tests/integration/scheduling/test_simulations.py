"""The last days again: what the studio completed, through the policy."""

from __future__ import annotations

import pytest

from tests.integration.scheduling.conftest import Queue
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.scheduling.scenarios import Week
from x121lib.studio import Studio


def test_completed_takes_are_replayed_with_their_times(stocked: Studio) -> None:
    queue = Queue(stocked)
    with pytest.raises(NotFoundError, match="No take was completed"):
        stocked.simulations.replay()
    queue.add_worker("gpu 1")
    stocked.project("Aurora").submit()
    while sent := queue.dispatch():
        for each in sent:
            queue.run(each)
    result = stocked.simulations.replay(1)
    assert result.classes().set_index("class").loc["Normal", "scenes"] == 2
    assert len(result.takes()) == 6
    assert (result.takes()["end"] - result.takes()["start"]).dt.total_seconds().tolist() == pytest.approx([1.0] * 6)
    assert list(result.workers()["worker"]) == ["gpu 1"]
    assert result.people()["gpu_h"].sum() == pytest.approx(6 / 3600, abs=0.001)
    assert list(stocked.simulations.replay(1, workers=2).workers()["worker"]) == ["gpu 1", "gpu 2"]
    for days, workers, said in ((0, None, "1 to 31 days"), (1, 0, "1 to 10,000 workers")):
        with pytest.raises(InvalidInputError, match=said):
            stocked.simulations.replay(days, workers)


def test_a_week_is_told_in_words_and_drawn(stocked: Studio) -> None:
    result = stocked.simulations.week(Week(characters=2, days=1))
    assert "Urgent" in repr(result)
    assert "Jain" in result._repr_html_()
