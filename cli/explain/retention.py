"""What becomes of each backup under rules of retention. It plays the runs of prune_backups, whose own code decides.

The past is played run by run. After now, only those runs are played that may decide otherwise than the one before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import islice

from cli.errors import WrongCall
from cli.explain.timers import Timer
from localcloud.functiongraph.schedule import Every
from shared.model import Backup
from shared.prune.plan import FAILED_KEPT_FOR, RECENT, Fate, Verdict, age_order, make_plan
from shared.prune.retention import Retention, Tier


INSTANCE = "0" * 32 + "in02"
"""The id of the instance of a simulation, and `_KEY` the description that makes its backups this application's."""

_KEY = f"key:{'0' * 32}"

MAX_BACKUPS = 5_000
"""The most backups that a calendar may have."""

AHEAD = timedelta(days=3 * 366)
"""How far ahead the runs are played."""

_MOST_VERDICTS = 200_000  # a second or two on one core
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of retention, and the zone in which their periods begin."""

    retention: Retention
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Life:
    """What becomes of one backup.

    Attributes:
        fate: what a run would intend for it now; None if it is gone.
        marks: the rules that keep it or the protection that holds it now; the reason if it goes with the next run.
        goes: the run that deletes it; None if no run does until the end of the simulation.
        reason: why it goes: no_rule, max_age or failed.
        until: what kept it at the run before that.
    """

    backup: Backup
    fate: Fate | None
    marks: tuple[str, ...]
    goes: datetime | None
    reason: str | None
    until: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether it exists now and stays for now."""
        return self.fate in {Fate.KEEP, Fate.PROTECT}


@dataclass(frozen=True, slots=True)
class Story:
    """What becomes of all backups that began by `now`, the newest first.

    Attributes:
        ends: until when runs were played. A backup that has not gone by then goes later, or never.
    """

    rules: Rules
    now: datetime
    lives: tuple[Life, ...]
    ends: datetime

    def of(self, *fates: Fate | None) -> list[Life]:
        """Return the lives with any of these fates."""
        return [life for life in self.lives if life.fate in fates]

    @property
    def kept(self) -> list[Life]:
        """The backups that exist now and stay for now."""
        return [life for life in self.lives if life.is_kept]


@dataclass(frozen=True, slots=True)
class Existing:
    """The backups that an instance has.

    Attributes:
        backups: its manual backups. Only those of this application have an event key.
        verified: the short ids of the backups that drills have verified. They stay verified in the simulation.
    """

    backups: tuple[Backup, ...] = ()
    verified: frozenset[str] = frozenset()


def scheduled_backups(timer: Timer, since: datetime, until: datetime, instance_id: str = INSTANCE) -> Iterator[Backup]:
    """Return a completed backup of an instance for each run of a timer in (since, until], the oldest first."""
    return (_backup(run, instance_id) for run in timer.runs(since, until))


def simulate(
    timer: Timer, prune: Timer, rules: Sequence[Rules], now: datetime, weeks: int, ahead: timedelta = AHEAD
) -> list[Story]:
    """Return a story for each of *rules*, as if the first backup had been made *weeks* ago.

    The runs are played for the time *ahead* at most. Raises WrongCall for more than MAX_BACKUPS backups, or for none.
    """
    since = now - timedelta(weeks=weeks)
    timer, prune = _counting_from(since, timer), _counting_from(since, prune)
    count = sum(1 for _ in islice(timer.runs(since, now), MAX_BACKUPS + 1))
    if not count:
        raise WrongCall(f"{timer.text} makes no backup in the {weeks} weeks before now: give more --weeks")
    if count > MAX_BACKUPS:
        raise WrongCall(f"{timer.text} makes more than {MAX_BACKUPS:,} backups in {weeks} weeks: give fewer --weeks")
    return [_Play(one, now, timer, prune).play((), since, now + ahead) for one in rules]


def foresee(
    existing: Existing,
    timer: Timer | None,
    prune: Timer | None,
    rules: Sequence[Rules],
    now: datetime,
    ahead: timedelta = AHEAD,
) -> list[Story]:
    """Return a story of the *existing* backups for each of *rules*, if *timer* goes on making backups.

    Only the backups that this application made count. What is building now is taken to complete, and a restore to end.
    The runs are played for the time *ahead* at most. Without a *timer*, no new backups come. Without *prune*, a backup
    goes at the moment from which nothing keeps it.
    """
    return [_Play(one, now, timer, prune, existing.verified).play(existing.backups, now, now + ahead) for one in rules]


def _counting_from(since: datetime, timer: Timer) -> Timer:
    """Return a timer whose rate counts from *since*."""
    if not isinstance(timer.schedule, Every):
        return timer
    return replace(timer, schedule=replace(timer.schedule, since=since.timestamp()))


class _Play:
    """One play of the runs: the backups that exist, and what became of the others."""

    def __init__(
        self,
        rules: Rules,
        now: datetime,
        timer: Timer | None,
        prune: Timer | None,
        verified: frozenset[str] = frozenset(),
    ) -> None:
        self._rules, self._now, self._timer, self._prune, self._verified = rules, now, timer, prune, verified
        self._alive: dict[str, Backup] = {}
        self._held: dict[str, tuple[str, ...]] = {}
        self._gone: dict[str, tuple[datetime, str]] = {}
        self._coming: Iterator[Backup] = iter(())
        self._next: Backup | None = None
        self._verdicts = 0

    def play(self, existing: Sequence[Backup], since: datetime, end: datetime) -> Story:
        """Play the runs from *since* until now, and on until all backups of that time have gone, to *end* at most."""
        self._alive = {backup.id: backup for backup in existing}
        instance_id = existing[0].instance_id if existing else INSTANCE
        made = self._timer.runs(since, self._now) if self._timer else ()
        self._let_come(_backup(run, instance_id) for run in made)
        seen = dict(self._alive)
        for run in self._prune.runs(since, self._now) if self._prune else ():
            seen |= self._take(run)
            self._run(run)
        seen |= self._take(self._now)
        state = {verdict.backup.id: verdict for verdict in self._judge(self._now)}
        self._alive = {key: _settled(one) for key, one in self._alive.items() if one.status != "DISABLED"}
        wanted = {key for key in state if key in self._alive}
        arrivals = self._arrivals(end)
        self._let_come(_backup(moment, instance_id) for moment in arrivals)
        ends = self._play_on(wanted, sorted(self._changes(arrivals), key=lambda change: change[0]), end)
        newest_first = sorted(seen.values(), key=age_order, reverse=True)
        lives = [self._life(one, state.get(one.id)) for one in newest_first if one.id in state or one.id in self._gone]
        return Story(self._rules, self._now, tuple(lives), ends)

    def _play_on(self, wanted: set[str], changes: Sequence[tuple[datetime, str | None]], end: datetime) -> datetime:
        """Play the first run after each change until all *wanted* backups have gone. Return the end of the play."""
        last = self._now - _TICK
        for moment, only in changes:
            if moment <= last or (only is not None and only not in self._alive):
                continue
            run = next(self._prune.runs(moment - _TICK, end), None) if self._prune else moment
            if run is None or run > end:
                return end
            last = run
            self._take(run)
            self._run(run)
            if not wanted & self._alive.keys() or self._verdicts > _MOST_VERDICTS:
                return run
        return end

    def _changes(self, arrivals: Sequence[datetime]) -> Iterator[tuple[datetime, str | None]]:
        """Yield each moment from which a run may decide otherwise, with the only backup that it concerns, if it is one.

        Rules and protections look at what has begun since, and at the age of each backup.
        """
        yield self._now + _TICK if self._prune else self._now, None
        yield from ((moment, None) for moment in arrivals)
        yield from ((moment + RECENT, None) for moment in arrivals[:1])
        max_age = self._rules.retention.max_age
        for backup in self._alive.values():
            if begin := backup.begin_time:
                yield begin, None
                yield begin + RECENT, None
                if max_age:
                    yield begin + max_age + _TICK, backup.id
                if backup.status == "FAILED":
                    yield begin + FAILED_KEPT_FOR + _TICK, backup.id
            if backup.end_time:
                yield backup.end_time, None

    def _arrivals(self, end: datetime) -> list[datetime]:
        """Return when those of the next backups begin that push others out of a rule: the first of each period."""
        timer, retention = self._timer, self._rules.retention
        first = next(timer.runs(self._now, end), None) if timer else None
        if timer is None or first is None:
            return []
        found = {first, *islice(timer.runs(self._now, end), retention.last)}
        for tier, count in retention.tiers.items():
            moment: datetime | None = first
            for _ in range(count):
                moment = moment and next(timer.runs(_next_period(tier, moment, self._rules.zone) - _TICK, end), None)
                if moment is None:
                    break
                found.add(moment)
        return sorted(found)

    def _let_come(self, backups: Iterator[Backup]) -> None:
        self._coming = backups
        self._next = next(backups, None)

    def _take(self, moment: datetime) -> dict[str, Backup]:
        """Let the backups come that have begun by a moment, and return them."""
        taken: dict[str, Backup] = {}
        while self._next and self._next.begin_time and self._next.begin_time <= moment:
            taken[self._next.id] = self._next
            self._next = next(self._coming, None)
        self._alive |= taken
        return taken

    def _run(self, run: datetime) -> None:
        """Delete what prune_backups deletes in a run."""
        for verdict in self._judge(run):
            if verdict.fate is Fate.DELETE:
                self._gone[verdict.backup.id] = (run, verdict.reasons[0])
                del self._alive[verdict.backup.id]
            else:
                self._held[verdict.backup.id] = verdict.reasons

    def _judge(self, moment: datetime) -> list[Verdict]:
        rules = self._rules
        plan = make_plan(self._alive.values(), rules.retention, moment, rules.zone, verified=self._verified)
        verdicts = [verdict for instance in plan.instances for verdict in instance.verdicts]
        self._verdicts += len(verdicts)
        return verdicts

    def _life(self, backup: Backup, verdict: Verdict | None) -> Life:
        goes, reason = self._gone.get(backup.id, (None, None))
        held = self._held.get(backup.id, ())
        if verdict is None:
            return Life(backup, None, (), goes, reason, held)
        return Life(backup, verdict.fate, verdict.reasons, goes, reason, held)


def _settled(backup: Backup) -> Backup:
    """Return a backup as it is once what is going on is over."""
    status = "COMPLETED" if backup.status == "BUILDING" else backup.status
    return replace(backup, status=status, is_restoring=False)


def _backup(begin: datetime, instance_id: str) -> Backup:
    number = f"{int(begin.timestamp()):032x}"
    return Backup(f"{number}br02", f"simulated-{number}", instance_id, "COMPLETED", begin, _KEY)


def _next_period(tier: Tier, moment: datetime, zone: tzinfo) -> datetime:
    """Return when the next period of a tier begins, in UTC."""
    local = moment.astimezone(zone)
    if tier is Tier.HOURLY:
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return moment + timedelta(hours=1) - past
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if tier is Tier.MONTHLY:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    elif tier is Tier.YEARLY:
        day = day.replace(year=day.year + 1, month=1, day=1)
    else:
        day += timedelta(days=1 if tier is Tier.DAILY else 7 - day.weekday())
    return day.astimezone(timezone.utc)
