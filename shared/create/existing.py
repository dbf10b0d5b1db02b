"""The backups that exist already: those of the same event, and young ones that `min_interval` asks about."""

import threading
from collections.abc import Sequence
from datetime import timedelta

from shared.identity import EventNames, key_of
from shared.model import Backup, Backups, Clock


class ExistingBackups:
    """The backups that have an event's names. Workers share it: the list is read once and reused while it is fresh."""

    def __init__(self, backups: Backups, names: EventNames, instances: Sequence[str], clock: Clock) -> None:
        self._backups = backups
        self._names = names
        self._clock = clock
        self._instance_id = _single(instances)
        self._lock = threading.Lock()
        self._listed: Sequence[Backup] = ()
        self._listed_at: float | None = None

    def find(self, instance_id: str, *, listed_since: float) -> Backup | None:
        """Return the event's backup of an instance, from a list read after that moment of the monotonic clock."""
        return next(
            (b for b in self._list(listed_since) if self._is_named(b, instance_id) and self._is_ours(b, instance_id)),
            None,
        )

    def find_conflict(self, instance_id: str) -> Backup | None:
        """Return a backup that has the name of the event's backup, but that was not made for this event."""
        listed = self._backups.list(name_part=self._names.name(instance_id))
        return next((b for b in listed if self._is_named(b, instance_id) and not self._is_ours(b, instance_id)), None)

    def _is_named(self, backup: Backup, instance_id: str) -> bool:
        return backup.name == self._names.name(instance_id)

    def _is_ours(self, backup: Backup, instance_id: str) -> bool:
        return backup.instance_id == instance_id and key_of(backup.description) == self._names.key

    def _list(self, listed_since: float) -> Sequence[Backup]:
        with self._lock:
            if self._listed_at is None or self._listed_at <= listed_since:
                now = self._clock.monotonic()
                self._listed = self._backups.list(name_part=self._names.stem, instance_id=self._instance_id)
                self._listed_at = now
            return self._listed


_GOOD = frozenset({"BUILDING", "COMPLETED"})


class RecentBackups:
    """The backups of this application that are younger than `interval`, listed once. Workers share it."""

    def __init__(self, backups: Backups, instances: Sequence[str], interval: timedelta, clock: Clock) -> None:
        self._backups = backups
        self._instance_id = _single(instances)
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._listed: Sequence[Backup] | None = None

    def newest(self, instance_id: str) -> Backup | None:
        """Return the newest good backup of an instance within the interval, or None. Failed backups do not count."""
        since = self._clock.now() - self._interval
        with self._lock:
            if self._listed is None:
                self._listed = self._backups.list(instance_id=self._instance_id, since=since)
        candidates = [
            (backup.begin_time, backup)
            for backup in self._listed
            if backup.instance_id == instance_id and backup.status in _GOOD and key_of(backup.description)
            if backup.begin_time and backup.begin_time > since
        ]
        return max(candidates, key=lambda candidate: candidate[0], default=(None, None))[1]


def _single(instances: Sequence[str]) -> str | None:
    """The only instance, which narrows the list in regions that do not filter by name."""
    return instances[0] if len(instances) == 1 else None
