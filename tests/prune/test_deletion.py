"""Deleting backups: which ones are tried again, and how the list settles an unclear outcome."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import (
    AbsentError,
    AmbiguousError,
    BusyError,
    CloudError,
    DeniedError,
    InvalidError,
    ThrottledError,
    TransientError,
)
from shared.model import Backup
from shared.prune.deletion import Deletion
from tests.fakes import FakeClock, FakeDds, Fault, make_retrying
from tests.prune.backups import nightly


class Project:
    """Some backups of a fake DDS, and the deletion under test."""

    def __init__(self, count: int = 3, remaining: float = 300.0, concurrency: int = 1) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock, backups=nightly(count))
        self.doomed = list(self.dds.backups)
        self.deletion = Deletion(self.dds, make_retrying(self.clock, remaining - min(5.0, remaining / 4)), concurrency)

    def delete(self) -> list[str | None]:
        """Delete the backups. Returns for each the code of its failure, or None."""
        failures = self.deletion.delete(self.doomed)
        found = [failures[backup.id] for backup in self.doomed]
        return [failure.code if failure else None for failure in found]

    def set_status(self, backup: Backup, **changes: object) -> None:
        """Change how DDS lists a backup."""
        self.dds.backups[self.dds.backups.index(backup)] = replace(backup, **changes)  # type: ignore[arg-type]


def test_each_backup_is_deleted_with_one_call() -> None:
    """The backups are listed only if an outcome is unclear."""
    project = Project()

    assert project.delete() == [None] * 3
    assert project.dds.backups == []
    assert project.dds.calls == ["delete"] * 3


@pytest.mark.parametrize("code", ["DBS.201214", "DBS.201204", "DBS.201502"])
def test_a_backup_that_is_gone_counts_as_deleted(code: str) -> None:
    """An earlier delivery or somebody else has deleted it."""
    project = Project(1)
    project.dds.delete_faults = [AbsentError("x", cloud_code=code)]

    assert project.delete() == [None]
    assert project.dds.calls == ["delete"]


def test_another_not_found_error_does_not_count_as_deleted() -> None:
    """The instance may be missing while the backup is still listed."""
    project = Project(1)
    project.dds.delete_faults = [AbsentError("x", cloud_code="DBS.200002")]

    assert project.delete() == ["not_found"]
    assert project.dds.calls == ["delete", "list"]


def done(project: Project) -> Callable[[], None]:
    """DDS deletes the backup, and its response is lost."""

    def fault() -> None:
        project.dds.backups.remove(project.doomed[0])
        raise AmbiguousError("lost")

    return fault


def begun(project: Project) -> Callable[[], None]:
    """DDS begins to delete the backup, and its response is lost."""

    def fault() -> None:
        project.set_status(project.doomed[0], status="DISABLED")
        raise AmbiguousError("lost")

    return fault


@pytest.mark.parametrize("how", [done, begun])
def test_the_list_decides_after_a_lost_response(how: Callable[[Project], Fault]) -> None:
    """A backup that is gone or DISABLED is not deleted again."""
    project = Project()
    project.dds.delete_faults = [how(project)]

    assert project.delete() == [None] * 3
    assert project.dds.calls == ["delete"] * 3 + ["list"]


def test_a_backup_that_is_still_listed_after_a_lost_response_is_deleted_again() -> None:
    """The call was not carried out."""
    project = Project()
    project.dds.delete_faults = [AmbiguousError("lost")]

    assert project.delete() == [None] * 3
    assert project.dds.calls == ["delete"] * 3 + ["list", "delete"]


@pytest.mark.parametrize("error", [BusyError("x"), TransientError("x"), AmbiguousError("x")])
def test_retryable_errors_are_tried_four_times(error: CloudError) -> None:
    """Each round lists the backups once for all of them."""
    project = Project()
    project.dds.delete_faults = [error] * 100

    assert project.delete() == [error.code] * 3
    assert project.dds.calls == (["delete"] * 3 + ["list"]) * 4
    assert project.clock.seconds < 30


@pytest.mark.parametrize("error", [DeniedError("x"), InvalidError("x")])
def test_a_final_error_is_not_tried_again(error: CloudError) -> None:
    """The other backups are deleted."""
    project = Project()
    project.dds.delete_faults = [error]

    assert project.delete() == [error.code, None, None]
    assert project.dds.calls == ["delete"] * 3 + ["list"]


def test_a_backup_under_restore_is_not_tried_again() -> None:
    """DDS refuses the deletion (DBS.201319), and the list shows the restore."""
    project = Project(1)

    def restore() -> None:
        project.set_status(project.doomed[0], is_restoring=True)
        raise BusyError("x", cloud_code="DBS.201319")

    project.dds.delete_faults = [restore]

    assert project.delete() == ["busy"]
    assert project.dds.calls == ["delete", "list"]


def test_throttled_calls_are_repeated_after_a_pause() -> None:
    """A throttled call was not carried out, so its outcome is clear without a list."""
    project = Project()
    project.dds.delete_faults = [ThrottledError("x", retry_after=7), None, ThrottledError("x")]

    assert project.delete() == [None] * 3
    assert project.clock.seconds >= 7
    assert set(project.dds.calls) == {"delete"}


def test_the_rate_of_calls_recovers_after_throttling() -> None:
    """At the rate right after the 429, four calls a second, these calls would take ten seconds."""
    project = Project(40)
    project.dds.delete_faults = [ThrottledError("x")]

    project.delete()

    assert project.clock.seconds < 8


def test_the_deadline_leaves_the_rest() -> None:
    """The pause that DDS asks for lasts longer than the invocation."""
    project = Project(remaining=20)
    project.dds.delete_faults = [None, ThrottledError("x", retry_after=60)]

    assert project.delete() == [None, "throttled", "throttled"]
    assert "list" not in project.dds.calls


def test_an_unclear_outcome_stays_unclear_without_a_list() -> None:
    """The failure says so."""
    project = Project(1)
    project.dds.delete_faults = [AmbiguousError("x")]
    project.dds.list_faults = [DeniedError("x")]

    assert project.delete() == ["outcome_unknown"]


def test_an_internal_error_does_not_affect_the_other_backups() -> None:
    """Its backup is tried again."""
    project = Project()

    def crash() -> None:
        raise ZeroDivisionError

    project.dds.delete_faults = [crash, None, None, crash, crash, crash]

    assert project.delete() == ["internal_error", None, None]


FAULTS: list[Fault] = [
    None,
    BusyError("x"),
    TransientError("x"),
    AmbiguousError("x"),
    ThrottledError("x"),
    DeniedError("x"),
    AbsentError("x", cloud_code="DBS.280016"),
]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(FAULTS), max_size=40),
    st.lists(st.sampled_from([None, TransientError("x"), DeniedError("x")]), max_size=5),
    st.integers(1, 8),
    st.integers(6, 300),
)
def test_the_result_is_true_under_any_faults(
    delete_faults: list[Fault], list_faults: list[Fault], concurrency: int, remaining: int
) -> None:
    """Every backup without a failure is gone, and every backup with one is still there."""
    project = Project(12, remaining, concurrency)
    project.dds.delete_faults, project.dds.list_faults = delete_faults, list_faults

    failures = project.deletion.delete(project.doomed)

    assert set(failures) == {backup.id for backup in project.doomed}
    assert {backup.id for backup in project.dds.backups} == {
        backup_id for backup_id, failure in failures.items() if failure
    }
