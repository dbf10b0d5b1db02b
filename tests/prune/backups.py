"""Backups and plans for the tests of prune_backups, and hypothesis strategies for both."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shared.model import Backup
from shared.prune.plan import Fate, Plan
from shared.prune.retention import MOST_WITHIN, Retention, Tier


NOW = datetime(2026, 11, 24, 3, 0, tzinfo=timezone.utc)
KEY = f"key:{'0' * 32}"
DAY = timedelta(days=1)

ZONES = [timezone.utc, *map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"))]


def make_backup(
    began: datetime | None = NOW - DAY,
    backup_id: str | None = None,
    *,
    instance: str = "i-1",
    status: str = "COMPLETED",
    description: str | None = KEY,
    minutes: float = 5,
    is_restoring: bool = False,
) -> Backup:
    """Return a backup that takes `minutes`, by default a completed one."""
    ended = status in {"COMPLETED", "FAILED", "DISABLED"}
    return Backup(
        id=backup_id or f"{instance}-{began}",
        name="some-name",
        instance_id=instance,
        status=status,
        begin_time=began,
        description=description,
        instance_name=f"name of {instance}",
        end_time=began + timedelta(minutes=minutes) if began and ended else None,
        size=1024,
        is_restoring=is_restoring,
    )


def nightly(nights: int, *, instance: str = "i-1") -> list[Backup]:
    """Return one backup a night, the newest first, which began an hour before NOW."""
    return [make_backup(NOW - timedelta(hours=1) - night * DAY, instance=instance) for night in range(nights)]


def deleted(plan: Plan) -> set[str]:
    """Return the ids of the backups that a plan deletes."""
    return {verdict.backup.id for verdict in plan.of(Fate.DELETE)}


def kept(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the ids of the backups that a plan keeps, with the rules that keep them."""
    return {verdict.backup.id: verdict.reasons for verdict in plan.of(Fate.KEEP)}


def protected(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the ids of the backups that a plan protects, with the protections."""
    return {verdict.backup.id: verdict.reasons for verdict in plan.of(Fate.PROTECT)}


def reaches(tiers: dict[Tier, int]) -> bool:
    """Whether rarer tiers reach at least as far back as more frequent ones."""
    return all(
        tiers[frequent] <= tiers[rarer] * most
        for rarer, within in MOST_WITHIN.items()
        for frequent, most in within.items()
        if frequent in tiers and rarer in tiers
    )


moments = st.integers(0, 800 * 86_400).map(lambda seconds: NOW + DAY - timedelta(seconds=seconds))
zones = st.sampled_from(ZONES)
retentions = st.builds(
    Retention,
    last=st.integers(0, 5),
    tiers=st.dictionaries(st.sampled_from(Tier), st.integers(1, 6), min_size=1),
    max_age=st.none() | st.integers(1, 900).map(lambda days: timedelta(days=days)),
)
backups = st.builds(
    make_backup,
    moments | st.none(),
    instance=st.sampled_from(["i-1", "i-2", "i-3"]),
    status=st.sampled_from(["COMPLETED"] * 6 + ["BUILDING", "FAILED", "DISABLED", "UNHEARD_OF"]),
    description=st.sampled_from([KEY] * 5 + [f"text;{KEY}", "", None, "key:short"]),
    minutes=st.floats(0, 600),
    is_restoring=st.integers(0, 19).map(lambda number: number == 0),
)
fleets = st.lists(backups, max_size=60, unique_by=lambda backup: backup.id)
