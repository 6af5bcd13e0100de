"""What may follow what: every pair of statuses; numbers and names of the vocabulary."""

from __future__ import annotations

import itertools

import pytest

from x121lib.terms import transitions
from x121lib.terms.transitions import TransitionError
from x121lib.terms.vocabulary import ALL_TERMS, DownloadStatus, SceneStatus, TaskStatus, Term, WorkflowStatus

# Written out once more, so that a change of the table is a change of this test.
T, S = TaskStatus, SceneStatus
TASKS = {
    T.SCHEDULED: {T.QUEUED, T.WAITING, T.PAUSED, T.CANCELLED},
    T.WAITING: {T.SCHEDULED, T.QUEUED, T.DISPATCHED, T.PAUSED, T.CANCELLED, T.FAILED},
    T.QUEUED: {T.SCHEDULED, T.WAITING, T.DISPATCHED, T.PAUSED, T.CANCELLED, T.FAILED},
    T.DISPATCHED: {T.RUNNING, T.QUEUED, T.CANCELLED, T.FAILED},
    T.RUNNING: {T.COMPLETE, T.FAILED, T.QUEUED, T.PAUSED, T.CANCELLED},
    T.PAUSED: {T.QUEUED, T.SCHEDULED, T.CANCELLED},
    T.CANCELLED: set[TaskStatus](),
    T.FAILED: {T.QUEUED},
    T.COMPLETE: set[TaskStatus](),
}
SCENES = {
    S.PENDING: {S.GENERATING},
    S.GENERATING: {S.REVIEW, S.FAILED, S.PENDING},
    S.REVIEW: {S.APPROVED, S.REJECTED, S.GENERATING},
    S.APPROVED: {S.REVIEW, S.REJECTED, S.GENERATING},
    S.REJECTED: {S.REVIEW, S.APPROVED, S.GENERATING},
    S.FAILED: {S.GENERATING, S.PENDING},
}

D = DownloadStatus
DOWNLOADS = {
    D.QUEUED: {D.RUNNING, D.PAUSED, D.CANCELLED},
    D.RUNNING: {D.RUNNING, D.QUEUED, D.PAUSED, D.FAILED, D.CANCELLED, D.COMPLETE},
    D.PAUSED: {D.QUEUED, D.CANCELLED},
    D.FAILED: {D.QUEUED, D.CANCELLED},
    D.CANCELLED: set[DownloadStatus](),
    D.COMPLETE: set[DownloadStatus](),
}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(DownloadStatus, repeat=2)), ids=str)
def test_every_pair_of_download_statuses(old: DownloadStatus, new: DownloadStatus) -> None:
    if new in DOWNLOADS[old]:
        transitions.check_download_transition(old, new)
    else:
        with pytest.raises(TransitionError, match=f"from {old.label} to {new.label}"):
            transitions.check_download_transition(old, new)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(TaskStatus, repeat=2)), ids=str)
def test_every_pair_of_task_statuses(old: TaskStatus, new: TaskStatus) -> None:
    if new in TASKS[old]:
        transitions.check_task_transition(old, new)
    else:
        with pytest.raises(TransitionError, match=f"from {old.label} to {new.label}"):
            transitions.check_task_transition(old, new)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(SceneStatus, repeat=2)), ids=str)
def test_every_pair_of_scene_statuses(old: SceneStatus, new: SceneStatus) -> None:
    if new in SCENES[old]:
        transitions.check_scene_transition(old, new)
    else:
        with pytest.raises(TransitionError, match=f"from {old.label} to {new.label}"):
            transitions.check_scene_transition(old, new)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(WorkflowStatus, repeat=2)), ids=str)
def test_every_pair_of_workflow_statuses(old: WorkflowStatus, new: WorkflowStatus) -> None:
    refused = {("Draft", "Production"), *((s.value, s.value) for s in WorkflowStatus)}
    if (old.value, new.value) not in refused:
        transitions.check_workflow_transition(old, new)
    else:
        with pytest.raises(TransitionError, match=f"from {old.label} to {new.label}"):
            transitions.check_workflow_transition(old, new)


def test_each_task_status_is_waiting_leased_or_ended() -> None:
    groups = (transitions.WAITING_STATUSES, transitions.LEASED_STATUSES, transitions.ENDED_STATUSES)
    assert sorted(status for group in groups for status in group) == sorted(TaskStatus)


def test_every_status_can_be_reached_and_only_the_ended_ones_are_final() -> None:
    reached = {new for following in transitions.TASK_TRANSITIONS.values() for new in following}
    assert reached == set(TaskStatus)
    final = {status for status, following in transitions.TASK_TRANSITIONS.items() if not following}
    assert final == {TaskStatus.CANCELLED, TaskStatus.COMPLETE}
    reached_scenes = {new for following in transitions.SCENE_TRANSITIONS.values() for new in following}
    assert reached_scenes == set(SceneStatus)


@pytest.mark.parametrize("term", ALL_TERMS, ids=lambda term: term.__name__)
def test_numbers_and_names_are_unique_and_stored_numbers_come_back(term: type[Term]) -> None:
    numbers = [member.number for member in term]
    assert len(set(numbers)) == len(numbers) == len(term.__members__)
    assert min(numbers) >= 1
    assert len({member.value for member in term}) == len(numbers)
    assert len({member.label for member in term}) == len(numbers)
    for member in term:
        assert term.from_number(member.number) is member
        assert member.label.strip() == member.label != ""


def test_an_unknown_number_is_an_error() -> None:
    with pytest.raises(KeyError, match="SceneStatus has no number 99"):
        SceneStatus.from_number(99)


def test_every_class_of_terms_is_a_lookup_table() -> None:
    assert set(ALL_TERMS) == set(Term.__subclasses__())
