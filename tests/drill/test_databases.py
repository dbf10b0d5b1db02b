"""Levels 0 and 1: the restore, the copy, and its databases against those of the source."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.drill.checks import Check, Drilled, Inspection, Verdict, judge
from shared.drill.databases import DrillInspector, Tolerance, compare
from shared.errors import CloudError, InvalidError
from shared.model import Database
from shared.retry import Deadline
from tests.drill.contents import Drill
from tests.fakes import FakeClock


DAY = timedelta(days=1)
TOLERANCE = Tolerance()
NAMES = st.sampled_from(["shop", "crm", "log", "users"])
SIZES = st.floats(0, 500).map(lambda size: round(size, 2))
DATABASES = st.dictionaries(NAMES, st.tuples(st.integers(1, 200), SIZES), min_size=1)
AGES = st.floats(0, 40).map(lambda days: timedelta(days=days))


def databases(content: dict[str, tuple[int, float]]) -> list[Database]:
    """The databases of these names, with collections and sizes."""
    return [Database(name, collections, size, size) for name, (collections, size) in content.items()]


def passes(source: Sequence[Database], copy: Sequence[Database], age: timedelta = DAY) -> bool:
    """Whether all checks of level 1 pass."""
    return judge(compare(source, copy, TOLERANCE, age)) is Verdict.VERIFIED


def inspect(
    drilled: Drilled | None = None,
    source: Sequence[Database] | CloudError = (),
    copy: Sequence[Database] | CloudError = (),
) -> Inspection:
    """Make the checks of levels 0 and 1."""
    drilled = drilled or Drill({}, {}, {}, 0.5).drilled()

    def ask(instance_id: str) -> Sequence[Database]:
        answer = {"source": source, "copy": copy}[instance_id]
        if isinstance(answer, CloudError):
            raise answer
        return answer

    clock = FakeClock()
    return DrillInspector(ask, clock).inspect(drilled, Deadline.after(60, clock))


def found(inspection: Inspection, name: str) -> Check:
    """The check of this name."""
    (check,) = [check for check in inspection.checks if check.name == name]
    return check


def check(passed: bool | None, *, is_required: bool = True) -> Check:
    """A check that ended so."""
    return Check("any", 1, "", "", passed, is_required=is_required)


@given(st.lists(st.builds(check, st.sampled_from([True, False, None]), is_required=st.booleans())))
def test_one_failed_check_is_a_failure_and_nothing_else_is(checks: list[Check]) -> None:
    """What could not be checked never makes a backup fail, and makes it unverified only if it is required."""
    verdict = judge(checks)

    assert (verdict is Verdict.FAILED) == any(one.passed is False for one in checks)
    if verdict is Verdict.VERIFIED:
        assert checks
        assert all(one.passed or (one.passed is None and not one.is_required) for one in checks)


@given(DATABASES, AGES)
def test_an_exact_copy_passes(content: dict[str, tuple[int, float]], age: timedelta) -> None:
    """A copy that has what the source has is never wrong, at any age."""
    assert passes(databases(content), databases(content), age)


@given(DATABASES, AGES, st.data())
def test_a_healthy_growth_passes(content: dict[str, tuple[int, float]], age: timedelta, data: st.DataObject) -> None:
    """A source that grows by less than a fifth of itself every day, and a little besides, makes no false alarm."""
    grown = {}
    for name, (collections, size) in content.items():
        factor = data.draw(st.floats(1, 1.25 ** max(1, age / DAY)))
        grown[name] = (int(collections * factor) + data.draw(st.integers(0, 2)), round(size * factor + 0.05, 2))
    grown["created"] = (2, 0.05)

    assert passes(databases(grown), databases(content), age)


@given(DATABASES, DATABASES, AGES, st.data())
def test_less_in_a_database_is_never_better(
    source: dict[str, tuple[int, float]], copy: dict[str, tuple[int, float]], age: timedelta, data: st.DataObject
) -> None:
    """If a copy fails, it also fails with fewer collections and less data in the databases that it has."""
    less = {
        name: (data.draw(st.integers(0, collections)), data.draw(st.floats(0, size)))
        for name, (collections, size) in copy.items()
    }

    if not passes(databases(source), databases(copy), age):
        assert not passes(databases(source), databases(less), age)


@given(DATABASES, DATABASES, AGES, AGES)
def test_an_older_backup_may_lack_more(
    source: dict[str, tuple[int, float]], copy: dict[str, tuple[int, float]], one: timedelta, other: timedelta
) -> None:
    """What passes for a backup of some age passes for an older one."""
    if passes(databases(source), databases(copy), min(one, other)):
        assert passes(databases(source), databases(copy), max(one, other))


@given(DATABASES, st.data())
def test_a_loss_beyond_the_tolerance_fails(content: dict[str, tuple[int, float]], data: st.DataObject) -> None:
    """A database that lacks more than a fifth and two of its collections fails, whatever the others have."""
    name = data.draw(st.sampled_from(sorted(content)))
    collections, size = content[name]
    left = max(0, int(collections * 0.8 - 2 - 0.001))
    copy = content | {name: (left, size)}

    if left < collections * 0.8 - 2:
        assert not passes(databases(content), databases(copy))


@given(DATABASES, AGES)
def test_an_empty_copy_always_fails(content: dict[str, tuple[int, float]], age: timedelta) -> None:
    """However old the backup and however small the source. The reason blames no growth."""
    (check, *_) = compare(databases(content), [], TOLERANCE, age)

    assert check.passed is False
    assert check.reason == "the copy is empty"


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ((2, 0.05), True),  # created since
        ((3, 0.0), True),
        ((9, 0.0), False),  # (20 + 9) / 5 + 2 collections may be new
        ((2, 2.57), True),  # 12.57 / 5 + 0.06 GB may be new
        ((2, 3.0), False),
    ],
)
def test_a_lacking_database_may_be_a_new_one(lacking: tuple[int, float], expected: bool) -> None:
    """All databases that the copy lacks are together measured by all of the source."""
    source = databases({"shop": (20, 10.0), "other": lacking})

    assert passes(source, databases({"shop": (20, 10.0)})) == expected


def test_half_of_the_data_is_found_from_200_mb_on() -> None:
    """Half of a database's data is lost: what DDS rounds away and what may be new hides the loss of very little."""
    assert passes(databases({"shop": (3, 0.18)}), databases({"shop": (3, 0.09)}))
    assert not passes(databases({"shop": (3, 0.22)}), databases({"shop": (3, 0.11)}))


def test_a_failure_names_the_databases() -> None:
    """The five first of them, and how many more."""
    source = databases({f"d{number}": (50, 1.0) for number in range(7)})
    copy = databases({f"d{number}": (1, 1.0) for number in range(7)})

    (_, collections, _) = compare(source, copy, TOLERANCE, DAY)

    assert collections.found.startswith("d0: 1 of 50, at least 38.00, d1: ")
    assert collections.found.endswith(" and 2 more")
    assert "20% a day" in collections.reason


def test_a_good_drill_without_level_2_is_verified() -> None:
    """The restore is completed, the copy is normal, and has the databases of the source."""
    shop = databases({"shop": (3, 1.0)})

    inspection = inspect(source=shop, copy=shop)

    assert inspection.verdict is Verdict.VERIFIED
    assert [check.name for check in inspection.checks] == [
        "restore", "status", "kind", "databases", "collections", "data",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Completed", Verdict.VERIFIED), ("Failed", Verdict.FAILED), ("Running", Verdict.INCONCLUSIVE)],
)
def test_the_restore_has_to_be_completed(status: str, expected: Verdict) -> None:
    """A failed restore is a failure, one that runs is none."""
    drilled = Drill({}, {}, {}, 0.5).drilled()
    assert drilled.task
    shop = databases({"shop": (3, 1.0)})

    assert inspect(replace(drilled, task=replace(drilled.task, status=status)), shop, shop).verdict is expected
    assert inspect(replace(drilled, task=None), shop, shop).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("createfail", Verdict.FAILED),
        ("abnormal", Verdict.FAILED),
        ("creating", Verdict.INCONCLUSIVE),
        ("frozen", Verdict.INCONCLUSIVE),
    ],
)
def test_a_copy_that_is_not_normal_is_not_asked(status: str, expected: Verdict) -> None:
    """It fails if DDS says that it is broken. Otherwise it may still become normal."""
    inspection = inspect(Drill({}, {}, {}, 0.5, status=status).drilled(), InvalidError("asked"), InvalidError("asked"))

    assert inspection.verdict is expected
    assert len(inspection.checks) == 3


def test_another_mode_fails_and_another_version_does_not() -> None:
    """A source can be upgraded after the backup, but its mode never changes."""
    drilled = Drill({}, {}, {}, 0.5).drilled()
    shop = databases({"shop": (3, 1.0)})
    upgraded = replace(drilled, source=replace(drilled.copy, id="source", version="5.0"))
    other = replace(drilled, source=replace(drilled.copy, id="source", mode="Sharding"))

    assert inspect(upgraded, shop, shop).verdict is Verdict.VERIFIED
    assert found(inspect(upgraded, shop, shop), "kind").passed is None
    assert inspect(other, shop, shop).verdict is Verdict.FAILED


def test_a_source_that_cannot_be_asked_leaves_it_open() -> None:
    """It is gone, not normal, or not of the Community Edition: nothing failed, and nothing is verified."""
    drilled = Drill({}, {}, {}, 0.5).drilled()
    assert drilled.source
    shop = databases({"shop": (3, 1.0)})
    refused = InvalidError("only for Community Edition", cloud_code="DBS.280001", status=400)

    for inspection in (
        inspect(replace(drilled, source=None), shop, shop),
        inspect(replace(drilled, source=replace(drilled.source, status="abnormal")), shop, shop),
        inspect(drilled, refused, shop),
        inspect(drilled, shop, refused),
    ):
        assert inspection.verdict is Verdict.INCONCLUSIVE
        assert found(inspection, "databases").passed is None
        assert found(inspection, "databases").reason


def test_an_expectation_takes_the_place_of_the_source() -> None:
    """What the request expects of the copy is checked without the source, and verifies or fails the backup."""
    drilled = replace(Drill({}, {}, {}, 0.5).drilled(), source=None)
    shop = databases({"shop": (3, 1.0)})

    assert inspect(replace(drilled, expect={"shop": 3}), shop, shop).verdict is Verdict.VERIFIED
    assert inspect(replace(drilled, expect={"shop": 4}), shop, shop).verdict is Verdict.FAILED
    assert inspect(replace(drilled, expect={"crm": 1}), shop, shop).verdict is Verdict.FAILED
    assert inspect(replace(drilled, expect={"crm": 1}), copy=InvalidError("no")).verdict is Verdict.INCONCLUSIVE


def test_expected_documents_need_level_2() -> None:
    """A request that expects documents is not verified by a drill that does not connect."""
    shop = databases({"shop": (3, 1.0)})
    drilled = replace(Drill({}, {}, {}, 0.5).drilled(), expect={"shop.orders": 1000})

    inspection = inspect(drilled, shop, shop)

    assert inspection.verdict is Verdict.INCONCLUSIVE
    assert "DRILL_CONNECT" in found(inspection, "expected documents").reason


class Asked:
    """A level 2 that remembers what it was asked."""

    def __init__(self) -> None:
        self.listed: list[Sequence[Database] | None] = []
        self.left: list[float] = []

    def inspect(self, drilled: Drilled, listed: Sequence[Database] | None, deadline: Deadline) -> Inspection:
        self.listed.append(listed)
        self.left.append(deadline.left())
        return Inspection((Check("documents", 2, "", "", passed=True),), rpo=7.0)


def test_level_2_leaves_time_and_tells_the_rpo() -> None:
    """It gets what DDS lists of the copy, and four fifths of the time: the rest is for publishing and restarting."""
    clock, level_2 = FakeClock(), Asked()
    shop = databases({"shop": (3, 1.0)})

    inspection = DrillInspector(lambda _: shop, clock, documents=level_2).inspect(
        Drill({}, {}, {}, 0.5).drilled(), Deadline.after(100, clock)
    )

    assert inspection.verdict is Verdict.VERIFIED
    assert inspection.rpo == 7.0
    assert level_2.listed == [shop]
    assert level_2.left == [80.0]


def test_level_2_says_enough_where_dds_lists_nothing() -> None:
    """An instance that is not of the Community Edition can still be verified by its documents."""

    def refuse(instance_id: str) -> Sequence[Database]:
        raise InvalidError("only for Community Edition", cloud_code="DBS.280001", status=400)

    clock = FakeClock()
    inspector = DrillInspector(refuse, clock, documents=Asked())

    assert inspector.inspect(Drill({}, {}, {}, 0.5).drilled(), Deadline.after(9, clock)).verdict is Verdict.VERIFIED


def test_the_password_is_not_shown() -> None:
    """Not in the text of what the inspector is given."""
    assert "Drill#2026" not in repr(Drill({}, {}, {}, 0.5).drilled("Drill#2026"))


def test_the_servers_own_databases_do_not_count() -> None:
    """A copy with nothing but admin, config and local is empty."""
    own = databases({"admin": (3, 1.0), "local": (9, 1.0), "config": (2, 0.0)})

    assert inspect(source=databases({"shop": (1, 0.0)}), copy=own).verdict is Verdict.FAILED
