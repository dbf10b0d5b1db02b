"""Level 2: the documents of the copy, through a connection that is a fake."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.drill.checks import Check, Inspection, Verdict
from shared.drill.documents import (
    DocumentChecks,
    DocumentRules,
    Documents,
    Namespace,
    OutOfTimeError,
    UnreadableError,
)
from shared.model import Database
from shared.retry import Deadline
from tests.drill.contents import BEGIN, CANARY, DAY, Content, Drill, FakeDocuments, Held, connecting, listed
from tests.fakes import START, FakeClock


HOUR = 3600.0


def inspect(
    content: Content,
    rules: DocumentRules | None = None,
    *,
    expect: Mapping[str, int] | None = None,
    documents: Documents | None = None,
    dds: Sequence[Database] | None = (),
    seconds: float = 900,
) -> Inspection:
    """Check a copy with this content, half a day after the backup."""
    clock = FakeClock()
    clock.seconds = DAY / 2
    checks = DocumentChecks(rules or DocumentRules(), clock, connecting(documents or FakeDocuments(content)))
    drilled = Drill({}, {}, content, 0.5, expect or {}).drilled()
    return checks.inspect(drilled, listed(content) if dds == () else dds, Deadline.after(seconds, clock))


def found(inspection: Inspection, name: str) -> Check:
    """The check of this name."""
    (check,) = [check for check in inspection.checks if check.name == name]
    return check


def orders(*before: float, name: str = "orders") -> Content:
    """A collection whose documents were made so many seconds before the backup."""
    return {"shop": {name: Held(tuple(BEGIN - seconds for seconds in before))}}


def test_a_copy_that_can_be_read_is_verified_without_any_rule() -> None:
    """It is read whole, every collection has its index, and the newest document tells the RPO."""
    inspection = inspect(orders(9 * HOUR, HOUR))

    assert inspection.verdict is Verdict.VERIFIED
    assert inspection.rpo == HOUR
    assert found(inspection, "documents").found == "2 documents of 1 collections"


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_an_expectation_is_the_least(count: int, expected: int) -> None:
    """Fewer documents than expected are a failure, as many or more are none. So half of them are one."""
    inspection = inspect(orders(*range(count)), expect={"shop.orders": expected})

    assert (inspection.verdict is Verdict.FAILED) == (count < expected)


def test_a_collection_that_is_expected_and_lacking_fails() -> None:
    """It counts as one without documents."""
    assert inspect(orders(1), expect={"shop.customers": 1}).verdict is Verdict.FAILED
    assert inspect(orders(1), expect={"shop.customers": 0}).verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("age", "rpo", "expected"),
    [
        (HOUR, None, Verdict.VERIFIED),
        (HOUR, timedelta(hours=1), Verdict.VERIFIED),
        (HOUR + 1, timedelta(hours=1), Verdict.FAILED),
        (100 * DAY, None, Verdict.VERIFIED),
    ],
)
def test_the_newest_document_is_judged_by_the_rpo(age: float, rpo: timedelta | None, expected: Verdict) -> None:
    """Without one it is only measured: an application may rest for months."""
    inspection = inspect(orders(age, age + DAY), DocumentRules(rpo=rpo))

    assert inspection.verdict is expected
    assert inspection.rpo == age


def test_ids_later_than_the_backup_do_not_fail() -> None:
    """An application may choose its ObjectIds. The newest that can have been in the backup tells the RPO."""
    inspection = inspect(orders(HOUR, -HOUR, -90 * DAY), DocumentRules(rpo=timedelta(hours=2)))

    assert inspection.verdict is Verdict.VERIFIED
    assert inspection.rpo == HOUR
    assert found(inspection, "newest document").passed is None
    assert "application" in found(inspection, "newest document").reason


def test_without_an_objectid_there_is_no_rpo() -> None:
    """That leaves the backup unverified only if there is an RPO to be met."""
    assert inspect(orders()).verdict is Verdict.VERIFIED
    assert inspect(orders()).rpo is None
    assert inspect(orders(), DocumentRules(rpo=timedelta(hours=1))).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("age", "rpo", "expected"),
    [
        (60, timedelta(hours=1), Verdict.VERIFIED),
        (-60, timedelta(hours=1), Verdict.VERIFIED),  # a clock that is a minute ahead
        (-HOUR, timedelta(hours=1), Verdict.FAILED),  # later than the backup
        (HOUR + 1, timedelta(hours=1), Verdict.FAILED),
        (HOUR + 1, None, Verdict.VERIFIED),
        (DAY + 1, None, Verdict.FAILED),
    ],
)
def test_a_canary_is_judged_by_the_rpo(age: float, rpo: timedelta | None, expected: Verdict) -> None:
    """Or by a day. The documents of an application that rests are then only measured."""
    content = {**orders(100 * DAY), "ops": {"heartbeat": Held((BEGIN - age,))}}

    inspection = inspect(content, DocumentRules(rpo=rpo, canary=CANARY))

    assert inspection.verdict is expected
    assert inspection.rpo == max(0, age)


def test_a_canary_that_is_gone_fails() -> None:
    """The operator says that each instance has one."""
    assert inspect(orders(HOUR), DocumentRules(canary=CANARY)).verdict is Verdict.FAILED


WRONG = ("shop.customers",)


@pytest.mark.parametrize(
    "documents",
    [FakeDocuments({}, damaged=WRONG), FakeDocuments({}, short=WRONG), FakeDocuments({}, without_index=WRONG)],
)
def test_what_cannot_be_read_as_it_is_counted_fails(documents: FakeDocuments) -> None:
    """A document that cannot be decoded, one that is counted and not read, a collection without its index."""
    content = {"shop": {**orders(HOUR)["shop"], "customers": Held((BEGIN - HOUR,) * 7)}}
    documents = replace(documents, content=content)

    inspection = inspect(content, documents=documents)

    assert inspection.verdict is Verdict.FAILED
    assert [check.found for check in inspection.checks if check.passed is False and "shop.customers" in check.found]


def test_documents_that_expire_may_go_while_they_are_read() -> None:
    """The server of the copy deletes what has expired since the backup."""
    documents = FakeDocuments(orders(HOUR), short=["shop.orders"], expiring=["shop.orders"])

    assert inspect(orders(HOUR), documents=documents).verdict is Verdict.VERIFIED


def test_large_collections_are_sampled() -> None:
    """Their documents are not counted: reading a collection of any size has to end."""
    content = orders(*range(100))
    rules = DocumentRules(small=10, sample=20)

    inspection = inspect(content, rules, documents=FakeDocuments(content, short=["shop.orders"]))

    assert inspection.verdict is Verdict.VERIFIED
    assert found(inspection, "documents").found.startswith("20 documents")


def test_a_collection_that_dds_lists_and_the_copy_lacks_fails() -> None:
    """DDS lists two, the copy has one. More than DDS lists are views or the server's."""
    assert inspect(orders(HOUR), dds=[Database("shop", 2, 0.0, 0.0)]).verdict is Verdict.FAILED
    assert inspect(orders(HOUR), dds=[Database("shop", 0, 0.0, 0.0)]).verdict is Verdict.VERIFIED
    assert inspect(orders(HOUR), dds=None).verdict is Verdict.VERIFIED


def test_an_empty_copy_of_which_nothing_else_is_known_is_no_verified_one() -> None:
    """If DDS lists no databases, nothing tells whether the source had any."""
    assert inspect({}, dds=None).verdict is Verdict.INCONCLUSIVE


def test_a_connection_that_fails_leaves_it_open() -> None:
    """Nothing failed but the way to the copy."""
    clock = FakeClock()
    drilled = Drill({}, {}, {}, 0.5).drilled()
    checks = DocumentChecks(DocumentRules(), clock, connecting(None))

    inspection = checks.inspect(drilled, [], Deadline.after(60, clock))

    assert inspection.verdict is Verdict.INCONCLUSIVE
    assert found(inspection, "connection").reason == "connection refused"
    assert (
        checks.inspect(replace(drilled, password=None), [], Deadline.after(60, clock)).verdict is Verdict.INCONCLUSIVE
    )


class Failing(FakeDocuments):
    """A connection on which a call fails."""

    def newest_id(self, of: Namespace, until: datetime) -> datetime | None:
        raise UnreadableError("not authorized")


def test_one_check_that_cannot_be_made_keeps_no_other_from_it() -> None:
    """It has a reason, and the others their results."""
    inspection = inspect(orders(HOUR), documents=Failing(orders(HOUR)))

    assert inspection.verdict is Verdict.INCONCLUSIVE
    assert found(inspection, "newest document").reason == "not authorized"
    assert found(inspection, "documents").passed


class Slow(FakeDocuments):
    """A connection on which collections whose names begin with "slow" are not read in time."""

    def read(self, of: Namespace, sample: int | None) -> int:
        if of.name.startswith("slow"):
            raise OutOfTimeError("timed out")
        return super().read(of, sample)


def test_what_is_not_read_in_time_is_told_and_does_not_fail() -> None:
    """The rest is read. Only if nothing could be read is the backup not verified."""
    both = {"shop": {**orders(1)["shop"], **orders(1, name="slow")["shop"]}}

    assert inspect(both, documents=Slow(both)).verdict is Verdict.VERIFIED
    assert found(inspect(both, documents=Slow(both)), "documents").found.endswith("; no time for 1")
    slow = orders(1, name="slow")
    assert inspect(slow, documents=Slow(slow)).verdict is Verdict.INCONCLUSIVE
    assert inspect(both, seconds=0.5).verdict is Verdict.INCONCLUSIVE


def test_a_backup_without_a_begin_has_no_rpo() -> None:
    """DDS need not tell it."""
    clock = FakeClock()
    drilled = Drill({}, {}, {}, 0.5).drilled()
    drilled = replace(drilled, backup=replace(drilled.backup, begin_time=None, end_time=None))
    content = {**orders(HOUR), "ops": {"heartbeat": Held((BEGIN,))}}

    def judge(rules: DocumentRules) -> Verdict:
        checks = DocumentChecks(rules, clock, connecting(FakeDocuments(content)))
        return checks.inspect(drilled, listed(content), Deadline.after(60, clock)).verdict

    assert judge(DocumentRules()) is Verdict.VERIFIED
    assert judge(DocumentRules(rpo=timedelta(hours=1))) is Verdict.INCONCLUSIVE
    assert judge(DocumentRules(canary=CANARY)) is Verdict.INCONCLUSIVE


def test_the_end_of_the_backup_is_the_latest_time_of_its_data() -> None:
    """A backup that takes an hour may have what was written meanwhile."""
    clock = FakeClock()
    clock.seconds = DAY / 2
    drilled = Drill({}, {}, {}, 0.5).drilled()
    drilled = replace(drilled, backup=replace(drilled.backup, end_time=START + timedelta(hours=1)))
    content = {"ops": {"heartbeat": Held((BEGIN + HOUR,))}}
    checks = DocumentChecks(DocumentRules(canary=CANARY), clock, connecting(FakeDocuments(content)))

    inspection = checks.inspect(drilled, listed(content), Deadline.after(60, clock))

    assert inspection.verdict is Verdict.VERIFIED
    assert inspection.rpo == 0
