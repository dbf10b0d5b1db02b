"""What a simulation shows, computed from its ledger: nights, notifications, deletions, storage, faults, money."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cli.cost.month import FREE_GB_SECONDS, FREE_REQUESTS, Prices
from cli.simulate.faults import DAY, Busy, FailingBackups, Fault, InstanceCreated, InstanceDeleted, Unavailable
from cli.simulate.ledger import Ledger, Told
from cli.simulate.platform import Platform
from cli.simulate.world import Known
from localcloud.dds.model import Backup, BackupStatus
from shared.drills import DrillName
from shared.identity import key_of


LATE = 15 * 60.0
"""Seconds after which a backup or its announcement counts as late."""

MONTH = 365 / 12


class Cell(str, Enum):
    """What became of the backups of one instance that were due on one day."""

    GOOD = "good"
    LATE = "late"
    FAILED = "failed"
    MISSED = "missed"
    BUILDING = "building"
    NOT_DUE = "not_due"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Line:
    """One instance over time.

    Attributes:
        cells: one for each day.
        lives: its backups of this application: (begin, end of its life or None, why it was deleted or "", is good), in
            days since the begin.
        kept: how many of them there are at the end.
    """

    id: str
    name: str
    mode: str
    data_gb: float
    cells: tuple[Cell, ...]
    lives: tuple[tuple[float, float | None, str, bool], ...]
    kept: int

    def count(self, cell: Cell) -> int:
        """How many days are of a kind."""
        return self.cells.count(cell)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault did.

    Attributes:
        refused: calls that it refused.
        unfired: runs of timers that it suppressed.
        late: notifications about backups that began or ended while it lasted and that came late; `latest` is the
            longest delay in seconds.
        cells: what became of the backups that were due while it lasted, of the instances that it concerns.
        announced: notifications of audit_backups about these instances until a day after it: missed and uncovered.
    """

    fault: Fault
    refused: int
    unfired: int
    late: int
    latest: float
    cells: Mapping[Cell, int]
    announced: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that is shown."""

    start: float
    days: int
    lines: tuple[Line, ...]
    told: Mapping[str, int]
    repeats: int
    severities: Mapping[str, int]
    mails: int
    unannounced: tuple[str, ...]
    late: int
    latest: float
    deferred: int
    deleted: Mapping[str, int]
    effects: tuple[Effect, ...]
    money: Mapping[str, float]
    invocations: Mapping[str, int]
    seconds: Mapping[str, float]
    gb_days: tuple[float, float]
    calls: Mapping[str, int]
    drill_hours: float
    billed_gb_days: float

    def cells(self, cell: Cell) -> int:
        """How many days of all instances are of a kind."""
        return sum(line.count(cell) for line in self.lines)


def summarize(platform: Platform, days: int, prices: Prices) -> Summary:
    """Compute the summary of a simulation that is over."""
    ledger, world = platform.ledger, platform.world
    ledger.see(world)
    end = ledger.start + days * DAY
    own = sorted((one for one in ledger.backups.values() if key_of(one.description)), key=lambda one: one.begin)
    lines = tuple(_lines(platform, own, end))
    told = list({one.id: one for one in reversed(ledger.told)}.values())[::-1]  # the first time of each
    delays = dict(_delays(told, ledger.backups))
    late = [delay for delay in delays.values() if delay > LATE]
    functions = {one.spec.name: one.spec for one in platform.functions.values()}
    seconds = {name: ledger.seconds.get(name, 0.0) for name in functions}
    invocations = {name: sum(n for (_, other), n in ledger.invocations.items() if other == name) for name in functions}
    gb_seconds = sum(functions[name].memory_size / 1024 * spent for name, spent in seconds.items())
    hours = sum((one.gone or end) - one.created for one in world.known.values() if DrillName.parse(one.name)) / 3600
    billed = _billed_gb_days(ledger, world.known)
    return Summary(
        start=ledger.start,
        days=days,
        lines=lines,
        told=dict(sorted(Counter(one.kind for one in told).items())),
        repeats=len(ledger.told) - len(told),
        severities=dict(sorted(Counter(one.severity for one in ledger.told).items())),
        mails=sum(one.mails for one in ledger.told) + ledger.failure_mails,
        unannounced=tuple(_unannounced(own, told, end)),
        late=len(late),
        latest=max(late, default=0.0),
        deferred=sum(one.kind == "dds.backup.deferred" for one in told),
        deleted=dict(sorted(Counter(ledger.reasons.values()).items())),
        effects=tuple(_effect(platform, number, lines, told, delays, end) for number in range(len(world.faults))),
        money=_bill(prices, days, sum(invocations.values()), gb_seconds, billed, hours),
        invocations=invocations,
        seconds=seconds,
        gb_days=(sum(day.manual_gb for day in ledger.days), sum(day.automatic_gb for day in ledger.days)),
        calls=_calls(platform),
        drill_hours=hours,
        billed_gb_days=billed,
    )


def _calls(platform: Platform) -> dict[str, int]:
    calls: Counter[str] = Counter()
    for (_, operation), number in platform.services.calls.items():
        calls[operation] += number
    return dict(sorted(calls.items()))


def _lines(platform: Platform, own: Sequence[Backup], end: float) -> Iterator[Line]:
    ledger = platform.ledger
    since: dict[str, float] = {}
    for (_, instance_id), attempt in ledger.attempts.items():
        since[instance_id] = min(attempt.began, since.get(instance_id, attempt.began))
    for known in sorted(platform.world.known.values(), key=lambda one: (one.created > ledger.start, one.name)):
        if DrillName.parse(known.name):
            continue
        backups = [one for one in own if one.instance_id == known.id]
        begins = [ledger.start + day * DAY for day in range(len(ledger.days))]
        cells = tuple(_cell(known, backups, ledger.slots, since.get(known.id, end), begin, end) for begin in begins)
        lives = tuple(
            (
                (one.begin - ledger.start) / DAY,
                None if one.gone_at is None else (one.gone_at - ledger.start) / DAY,
                ledger.reasons.get(one.id, ""),
                one.fail_reason is None,
            )
            for one in backups
        )
        kept = sum(one.status(end) is BackupStatus.COMPLETED for one in backups)
        yield Line(known.id, known.name, known.mode, known.data_gb, cells, lives, kept)


def _cell(
    known: Known, backups: Sequence[Backup], slots: Sequence[float], since: float, begin: float, end: float
) -> Cell:
    """Judge the day that begins at a moment. `since` is when create_backup first had to do with the instance."""
    gone = known.gone or end
    if not known.created < begin + DAY or gone <= begin:
        return Cell.ABSENT
    due = [
        slot
        for slot in slots
        if begin <= slot < begin + DAY and max(known.created, since) <= slot + LATE and slot < gone
    ]
    begun = [one for one in backups if begin <= one.begin < begin + DAY]
    good = [one for one in begun if one.fail_reason is None]
    if not due:
        return Cell.GOOD if good else Cell.NOT_DUE
    if len(good) < len(due):
        return Cell.FAILED if len(begun) > len(good) else Cell.MISSED
    if any(end < one.end for one in good):
        return Cell.BUILDING
    return Cell.LATE if any(one.begin - slot > LATE for one, slot in zip(good, due, strict=False)) else Cell.GOOD


def _delays(told: Iterable[Told], backups: Mapping[str, Backup]) -> Iterator[tuple[str, float]]:
    """Yield the id of each notification about a backup, and how many seconds after the fact it came."""
    for one in told:
        backup = backups.get(one.backup_id)
        if backup and one.kind == "dds.backup.started":
            yield one.id, one.moment - backup.begin
        elif backup and one.kind in {"dds.backup.completed", "dds.backup.failed"}:
            yield one.id, one.moment - backup.end


def _unannounced(own: Iterable[Backup], told: Iterable[Told], end: float) -> Iterator[str]:
    """Yield the names of backups whose end nobody was told of, half an hour after it."""
    known = {one.backup_id for one in told if one.kind in {"dds.backup.completed", "dds.backup.failed"}}
    for backup in own:
        if backup.end < end - 1800 and backup.id not in known:
            yield backup.name


def _effect(
    platform: Platform,
    number: int,
    lines: Sequence[Line],
    told: Sequence[Told],
    delays: Mapping[str, float],
    end: float,
) -> Effect:
    fault, ledger = platform.world.faults[number], platform.ledger
    spans = list(_spans(fault, ledger.start, len(ledger.days)))
    names = _concerned(fault)
    concerned = [line for line in lines if not names or line.name in names]
    ids = {line.id for line in concerned}
    cells: Counter[Cell] = Counter()
    for begin, until in spans:
        for slot in ledger.slots:
            if begin <= slot < until:
                cells.update(line.cells[int((slot - ledger.start) // DAY)] for line in concerned if slot < end)
    # A fact lies before its notification by the delay.
    late = [
        delays[one.id]
        for one in told
        if delays.get(one.id, 0.0) > LATE and any(b <= one.moment - delays[one.id] < e for b, e in spans)
    ]
    findings = Counter(
        one.kind
        for one in told
        if one.kind in {"dds.backup.missed", "dds.backup.uncovered"}
        and (not one.instance_id or one.instance_id in ids)
        and any(begin <= one.moment < until + 1.5 * DAY for begin, until in spans)
    )
    refused = platform.world.refused.get(number, 0)
    return Effect(
        fault, refused, platform.unfired[number], len(late), max(late, default=0.0), dict(cells), dict(findings)
    )


def _spans(fault: Fault, start: float, days: int) -> Iterator[tuple[float, float]]:
    if isinstance(fault, (Unavailable, Busy, FailingBackups)):
        yield from fault.windows(start, days)
    else:
        yield from ((moment, moment + DAY) for moment in fault.moments(start, days))


def _concerned(fault: Fault) -> tuple[str, ...]:
    """The names of the instances that a fault concerns; empty for all."""
    if isinstance(fault, (Busy, FailingBackups)):
        return fault.instances
    if isinstance(fault, InstanceCreated):
        return (fault.name,)
    return (fault.instance,) if isinstance(fault, InstanceDeleted) else ()


def _billed_gb_days(ledger: Ledger, known: Mapping[str, Known]) -> float:
    """Return the GB-days beyond what is free: as much as the storage of the instance, for all its backups together.

    Source: DDS User Guide, Creating a Manual Backup.
    """
    total = 0.0
    for day in ledger.days:
        total += sum(max(0.0, gb - known[one].disk_gb) for one, gb in day.gb_by_instance.items() if one in known)
    return total


def _bill(
    prices: Prices, days: int, invocations: int, gb_seconds: float, billed: float, hours: float
) -> dict[str, float]:
    """Return the amount of each item that has a price, for all days. The free allowance is of as many months."""
    free = days / MONTH * int(prices.is_free_left)
    amounts = {}
    if prices.million_requests is not None:
        amounts["requests"] = max(0.0, invocations - free * FREE_REQUESTS) / 1e6 * prices.million_requests
    if prices.gb_second is not None:
        amounts["gb_seconds"] = max(0.0, gb_seconds - free * FREE_GB_SECONDS) * prices.gb_second
    if prices.backup_gb is not None:
        amounts["backup_storage"] = billed / MONTH * prices.backup_gb
    if prices.drill_hour is not None:
        amounts["drills"] = hours * prices.drill_hour
    return amounts
