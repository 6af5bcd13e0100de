"""What is on hold is not counted where it is told when the queue is empty, and is said beside."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.scheduling import on_hold
from x121lib.studio import Studio
from x121lib.studio.holds import Scope


def held(studio: Studio) -> int:
    with studio.transaction() as session:
        return on_hold.count(session, studio.house.now()).n


@pytest.mark.capability("PRD-90/time-estimates")
def test_paused_work_what_follows_it_and_what_a_budget_holds_count_as_held(stocked: Studio) -> None:
    stocked.project("Aurora").submit()
    queue = stocked.queue()
    assert (len(queue), held(stocked)) == (6, 0)
    aiko = queue[queue["character"] == "Aiko"]
    first = aiko[aiko["segment"] == aiko["segment"].min()]["task_id"].iloc[0]
    stocked.pause([first])
    assert held(stocked) == 3, "the segments after it can not run before it"
    stocked.resume([first])
    with stocked.transaction() as session:
        scene = session.scalars(sa.select(m.Scene.id).join(m.Character).where(m.Character.name == "Lena")).first()
    assert scene is not None
    stocked.pauses.pause(Scope(scene_ids=(scene,)))
    assert held(stocked) == 3
    stocked.pauses.pause()
    assert held(stocked) == 6
    stocked.pauses.resume()
    stocked.pauses.resume(Scope(scene_ids=(scene,)))
    assert held(stocked) == 0
    stocked.budgets.set(0, project="Aurora")
    assert held(stocked) == 6
