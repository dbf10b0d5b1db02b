"""Deleting: what is done, what is left, and that the list decides what an answer leaves open."""

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
from tests.prune.made import nightly


class Bench:
    """Some backups, and what deletes them."""

    def __init__(self, count: int = 3, remaining: float = 300.0, concurrency: int = 1) -> None:
        self.clock = FakeClock()
        self.dds = FakeDds(self.clock, backups=nightly(count))
        self.doomed = list(self.dds.backups)
        self.deletion = Deletion(self.dds, make_retrying(self.clock, remaining - min(5.0, remaining / 4)), concurrency)

    def delete(self) -> list[str | None]:
        """The code of why each was not deleted, None if it was."""
        failures = self.deletion.delete(self.doomed)
        found = [failures[backup.id] for backup in self.doomed]
        return [failure.code if failure else None for failure in found]

    def set_status(self, backup: Backup, **changes: object) -> None:
        """Change a backup."""
        self.dds.backups[self.dds.backups.index(backup)] = replace(backup, **changes)  # type: ignore[arg-type]


def test_all_are_deleted_in_the_order_given() -> None:
    """One call each, and no list if nothing is in doubt."""
    bench = Bench()

    assert bench.delete() == [None] * 3
    assert bench.dds.backups == []
    assert bench.dds.calls == ["delete"] * 3


@pytest.mark.parametrize("code", ["DBS.201214", "DBS.201204", "DBS.201502"])
def test_what_is_gone_is_deleted(code: str) -> None:
    """An earlier delivery, or somebody else, did it."""
    bench = Bench(1)
    bench.dds.delete_faults = [AbsentError("x", cloud_code=code)]

    assert bench.delete() == [None]
    assert bench.dds.calls == ["delete"]


def test_absent_for_another_reason_is_not_taken_for_deleted() -> None:
    """A missing instance, a wrong project: the backup is still listed."""
    bench = Bench(1)
    bench.dds.delete_faults = [AbsentError("x", cloud_code="DBS.200002")]

    assert bench.delete() == ["not_found"]
    assert bench.dds.calls == ["delete", "list"]


def done(bench: Bench) -> Callable[[], None]:
    """The delete is carried out, but its answer is lost."""

    def fault() -> None:
        bench.dds.backups.remove(bench.doomed[0])
        raise AmbiguousError("lost")

    return fault


def begun(bench: Bench) -> Callable[[], None]:
    """The same; the backup is still being deleted."""

    def fault() -> None:
        bench.set_status(bench.doomed[0], status="DISABLED")
        raise AmbiguousError("lost")

    return fault


@pytest.mark.parametrize("how", [done, begun])
def test_after_a_lost_answer_the_list_decides(how: Callable[[Bench], Fault]) -> None:
    """It is not deleted a second time."""
    bench = Bench()
    bench.dds.delete_faults = [how(bench)]

    assert bench.delete() == [None] * 3
    assert bench.dds.calls == ["delete"] * 3 + ["list"]


def test_after_a_lost_call_it_is_deleted_again() -> None:
    """The list shows that it was not deleted."""
    bench = Bench()
    bench.dds.delete_faults = [AmbiguousError("lost")]

    assert bench.delete() == [None] * 3
    assert bench.dds.calls == ["delete"] * 3 + ["list", "delete"]


@pytest.mark.parametrize("error", [BusyError("x"), TransientError("x"), AmbiguousError("x")])
def test_what_a_retry_cannot_help_in_time_is_left(error: CloudError) -> None:
    """Tried four times; one list a round, however many are in doubt."""
    bench = Bench()
    bench.dds.delete_faults = [error] * 100

    assert bench.delete() == [error.code] * 3
    assert bench.dds.calls == (["delete"] * 3 + ["list"]) * 4
    assert bench.clock.seconds < 30


@pytest.mark.parametrize("error", [DeniedError("x"), InvalidError("x")])
def test_what_can_never_succeed_is_tried_once(error: CloudError) -> None:
    """And costs the others nothing."""
    bench = Bench()
    bench.dds.delete_faults = [error]

    assert bench.delete() == [error.code, None, None]
    assert bench.dds.calls == ["delete"] * 3 + ["list"]


def test_a_restore_that_began_meanwhile_is_not_disturbed() -> None:
    """DDS refuses (DBS.201319); the list tells why, and it is not tried again."""
    bench = Bench(1)

    def restore() -> None:
        bench.set_status(bench.doomed[0], is_restoring=True)
        raise BusyError("x", cloud_code="DBS.201319")

    bench.dds.delete_faults = [restore]

    assert bench.delete() == ["busy"]
    assert bench.dds.calls == ["delete", "list"]


def test_throttled_calls_are_spaced_and_repeated() -> None:
    """A throttled call was refused before anything was done: no list is needed."""
    bench = Bench()
    bench.dds.delete_faults = [ThrottledError("x", retry_after=7), None, ThrottledError("x")]

    assert bench.delete() == [None] * 3
    assert bench.clock.seconds >= 7
    assert set(bench.dds.calls) == {"delete"}


def test_calls_get_faster_again_after_throttling() -> None:
    """At the pace that began after the 429, four calls a second, these would take ten seconds."""
    bench = Bench(40)
    bench.dds.delete_faults = [ThrottledError("x")]

    bench.delete()

    assert bench.clock.seconds < 8


def test_what_the_deadline_cuts_off_is_left() -> None:
    """A pause that outlasts the invocation leaves the throttled one and those after it."""
    bench = Bench(remaining=20)
    bench.dds.delete_faults = [None, ThrottledError("x", retry_after=60)]

    assert bench.delete() == [None, "throttled", "throttled"]
    assert "list" not in bench.dds.calls


def test_a_list_that_fails_leaves_the_doubt() -> None:
    """Nobody guesses."""
    bench = Bench(1)
    bench.dds.delete_faults = [AmbiguousError("x")]
    bench.dds.list_faults = [DeniedError("x")]

    assert bench.delete() == ["outcome_unknown"]


def test_a_fault_of_this_program_costs_the_others_nothing() -> None:
    """It is logged, and may be tried again."""
    bench = Bench()

    def crash() -> None:
        raise ZeroDivisionError

    bench.dds.delete_faults = [crash, None, None, crash, crash, crash]

    assert bench.delete() == ["internal_error", None, None]


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
def test_whatever_happens_the_answer_is_true(
    delete_faults: list[Fault], list_faults: list[Fault], concurrency: int, remaining: int
) -> None:
    """What is said to be deleted is gone, and what is still there has a reason."""
    bench = Bench(12, remaining, concurrency)
    bench.dds.delete_faults, bench.dds.list_faults = delete_faults, list_faults

    failures = bench.deletion.delete(bench.doomed)

    assert set(failures) == {backup.id for backup in bench.doomed}
    assert {backup.id for backup in bench.dds.backups} == {found for found, failure in failures.items() if failure}
