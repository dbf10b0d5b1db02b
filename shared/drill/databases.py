"""Levels 0 and 1 of a drill's checks: what DDS says of the restore, of the copy and of its databases.

The source goes on living between the backup and the drill, so the copy is compared with what the source has now, within
a `Tolerance`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.drill.checks import Check, Drilled, Inspection
from shared.errors import CloudError
from shared.format import counted, plain, shortened
from shared.model import Clock, Database, Instance
from shared.retry import Deadline


SYSTEM_DATABASES = frozenset({"admin", "config", "local"})
_BROKEN = ("createfail", "abnormal")
_DAY = timedelta(days=1)
# DDS rounds sizes to two decimals: two sizes of the same data differ by at most this many GB.
_ROUNDING = 0.01
# What calculating with floats may differ by.
_EPSILON = 1e-6
_SHARE = 0.8
_SHOWN = 5
_NAME = 60


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much less than the source a healthy copy may have, because the source has grown since the backup.

    A healthy source grows in a day by at most `percent` of what it then has, and besides by `collections` and
    `gigabytes` in all. For a backup that is `days` old, and at least one day,

    - a database that the copy has, has there at least
      (collections of the source) * (1 - percent / 100) ** days - `collections` collections, and at least
      (data of the source) * (1 - percent / 100) ** days - `gigabytes` - 0.01 GB of data;
    - the databases that the copy lacks may have been created since. Together they have on the source at most
      (collections of all databases) * (1 - (1 - percent / 100) ** days) + `collections` collections, and data
      accordingly;
    - the copy of a source with collections has some.

    More than the source has is never wrong: the source may have dropped it.

    Attributes:
        percent: for each day between the backup and the drill; 0 to 100.
        gigabytes: of data, without indexes.
    """

    percent: float = 20.0
    collections: int = 2
    gigabytes: float = 0.05

    def kept(self, age: timedelta) -> float:
        """The share of what the source has now that it had when a backup was made, `age` ago."""
        return float((1 - self.percent / 100) ** max(1.0, age / _DAY))


class DocumentInspector(Protocol):
    """Level 2 (`shared.drill.documents`)."""

    def inspect(self, drilled: Drilled, listed: Sequence[Database] | None, deadline: Deadline) -> Inspection:
        """Check the documents of the copy. `listed` are its databases as DDS lists them; None if it does not."""


class DrillInspector:
    """Implements `shared.drill.checks.Inspector`. The source is only read, and only through DDS."""

    def __init__(
        self,
        databases: Callable[[str], Sequence[Database]],
        clock: Clock,
        tolerance: Tolerance | None = None,
        documents: DocumentInspector | None = None,
    ) -> None:
        """Without `documents` there is no level 2. `databases` is that of `Restores`; nothing else of DDS is asked."""
        self._databases = databases
        self._clock = clock
        self._tolerance = tolerance or Tolerance()
        self._documents = documents

    def inspect(self, drilled: Drilled, deadline: Deadline) -> Inspection:
        """Make the checks of all levels; those of levels 1 and 2 only if the copy is normal."""
        checks = [check_restore(drilled), check_status(drilled.copy), check_kind(drilled.copy, drilled.source)]
        if drilled.copy.status != "normal":
            return Inspection(tuple(checks))
        listed, trouble = self._list(drilled.copy)
        checks += self._level_1(drilled, listed, trouble)
        if self._documents is None:
            return Inspection((*checks, *_unread(drilled.expect)))
        # The verdict still has to be published, and the copy to be restarted.
        documents = self._documents.inspect(drilled, listed, deadline.within(deadline.left() * _SHARE))
        return Inspection((*checks, *documents.checks), documents.rpo)

    def _level_1(self, drilled: Drilled, listed: list[Database] | None, trouble: str) -> Iterator[Check]:
        # An expectation or level 2 says enough of the content where DDS cannot list the databases of both.
        is_required = not drilled.expect and self._documents is None
        if listed is None:
            yield _unlisted(f"DDS does not list the databases of the copy: {trouble}", is_required=is_required)
        else:
            source, trouble = self._list(drilled.source)
            if source is None:
                yield _unlisted(f"DDS does not list the databases of the source: {trouble}", is_required=is_required)
            else:
                begin = drilled.backup.begin_time
                age = self._clock.now() - begin if begin else timedelta()
                yield from compare(source, listed, self._tolerance, age)
        yield from _expected_collections(drilled.expect, listed)

    def _list(self, instance: Instance | None) -> tuple[list[Database] | None, str]:
        """The databases of an instance, or why there is no list."""
        if instance is None:
            return None, "the instance no longer exists"
        if instance.status != "normal":
            return None, f"the instance is {instance.status!r}, not 'normal'"
        try:
            found = self._databases(instance.id)
        except CloudError as error:
            return None, shortened(plain(str(error)), 200)
        return [one for one in found if one.name not in SYSTEM_DATABASES], ""


def check_restore(drilled: Drilled) -> Check:
    """Check that DDS has completed the restore."""
    task = drilled.task
    found = task.status if task else "no task"
    passed = {"Completed": True, "Failed": False}.get(found)
    reason = "" if passed else "the restore still runs" if task else "DDS's task list has no restore of this instance"
    if passed is False and task:
        reason = shortened(plain(task.fail_reason or "DDS gives no reason"), 200)
    return Check("restore", 0, "Completed", found, passed, reason=reason)


def check_status(copy: Instance) -> Check:
    """Check that the copy is normal. A status that is neither that nor broken may pass."""
    passed = True if copy.status == "normal" else False if copy.status in _BROKEN else None
    reason = "" if passed else "DDS could not make the instance" if passed is False else "the instance is not ready"
    return Check("status", 0, "normal", copy.status, passed, reason=reason)


def check_kind(copy: Instance, source: Instance | None) -> Check:
    """Check that the copy is of the source's mode and version. The source may have been upgraded since the backup."""
    found = f"{copy.mode} {copy.version}"
    if source is None:
        return Check("kind", 0, "", found, None, reason="the source no longer exists", is_required=False)
    expected = f"{source.mode} {source.version}"
    if copy.mode == source.mode and copy.version != source.version:
        reason = "the source may have been upgraded since the backup"
        return Check("kind", 0, expected, found, None, reason=reason, is_required=False)
    return Check("kind", 0, expected, found, copy.mode == source.mode)


def compare(source: Sequence[Database], copy: Sequence[Database], tolerance: Tolerance, age: timedelta) -> list[Check]:
    """Compare the databases of the copy with those that the source has now, `age` after the backup."""
    there = {one.name: one for one in copy}
    both = [(one, there[one.name]) for one in source if one.name in there]
    kept = tolerance.kept(age)
    gigabytes = tolerance.gigabytes + _ROUNDING
    unless = f"unless the source has grown by more than {tolerance.percent:g}% a day since the backup"
    return [
        _check_databases(source, copy, tolerance, kept, unless),
        _check_each("collections", "", both, lambda one: one.collections, kept, tolerance.collections, unless),
        _check_each("data", " GB", both, lambda one: one.data_size, kept, gigabytes, unless),
    ]


def _check_each(
    name: str,
    unit: str,
    both: Sequence[tuple[Database, Database]],
    amount: Callable[[Database], float],
    kept: float,
    less: float,
    unless: str,
) -> Check:
    """Compare an amount of each database of the source with that of the copy."""
    least = [(one.name, amount(one), amount(found), amount(one) * kept - less) for one, found in both]
    lacking = [
        f"{short(database)}: {found:g} of {has:g}{unit}, at least {most:.2f}"
        for database, has, found, most in least
        if found < most - _EPSILON
    ]
    return Check(
        name,
        1,
        f"those of the source in {counted(len(both), 'database')}",
        first_few(lacking) or "enough in each",
        not lacking,
        tolerance=f"{1 - kept:.0%} and {less:g}{unit} less",
        reason=f"the copy lacks {name}, {unless}" if lacking else "",
    )


def _check_databases(
    source: Sequence[Database], copy: Sequence[Database], tolerance: Tolerance, kept: float, unless: str
) -> Check:
    there = {one.name for one in copy}
    lacking = [one for one in source if one.name not in there]
    collections = _collections(source) * (1 - kept) + tolerance.collections
    data = _data(source) * (1 - kept) + tolerance.gigabytes + _ROUNDING * max(1, len(lacking))
    is_empty = not _collections(copy) and _collections(source) > 0
    is_lost = is_empty or _collections(lacking) > collections + _EPSILON or _data(lacking) > data + _EPSILON
    names = [f"{short(one.name)} ({one.collections} collections, {one.data_size:.2f} GB)" for one in lacking]
    reason = ""
    if is_empty:
        reason = "the copy is empty"
    elif lacking:
        created = "what the copy lacks may have been created since the backup"
        reason = f"the copy lacks databases, {unless}" if is_lost else created
    return Check(
        "databases",
        1,
        f"{len(source)} with {_collections(source)} collections and {_data(source):.2f} GB",
        f"{len(copy)} with {_collections(copy)} collections and {_data(copy):.2f} GB"
        + (f"; without {first_few(names)}" if names else ""),
        not is_lost,
        tolerance=f"without databases of {collections:.1f} collections and {data:.2f} GB together",
        reason=reason,
    )


def _collections(databases: Iterable[Database]) -> int:
    return sum(one.collections for one in databases)


def _data(databases: Iterable[Database]) -> float:
    return sum(one.data_size for one in databases)


def _expected_collections(expect: Mapping[str, int], listed: Sequence[Database] | None) -> Iterator[Check]:
    """Check the expectations of whole databases, which need no source."""
    wanted = {name: least for name, least in expect.items() if "." not in name}
    if not wanted:
        return
    expected = first_few([f"{short(name)}: {least}" for name, least in wanted.items()])
    if listed is None:
        reason = "DDS does not list the databases of the copy"
        yield Check("expected collections", 1, expected, "", None, reason=reason)
        return
    there = {one.name: one.collections for one in listed}
    few = [f"{short(name)}: {there.get(name, 0)}" for name, least in wanted.items() if there.get(name, 0) < least]
    yield Check("expected collections", 1, expected, first_few(few) or "enough in each", not few, tolerance="or more")


def _unread(expect: Mapping[str, int]) -> Iterator[Check]:
    """Without level 2, expectations of documents cannot be checked."""
    if wanted := [f"{short(name)}: {least}" for name, least in expect.items() if "." in name]:
        reason = "only a drill that connects to the copy counts documents: set DRILL_CONNECT"
        yield Check("expected documents", 2, first_few(wanted), "", None, reason=reason)


def _unlisted(reason: str, *, is_required: bool) -> Check:
    return Check("databases", 1, "", "", None, reason=reason, is_required=is_required)


def short(name: str) -> str:
    """A name that somebody else has chosen, made fit for a report."""
    return shortened(plain(name), _NAME)


def first_few(items: Sequence[str]) -> str:
    """The first of them for a report, and how many more there are."""
    more = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
