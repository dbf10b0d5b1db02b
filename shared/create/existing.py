"""The backups that exist already: those of the same event, and young ones that `min_interval` asks about."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from shared.identity import EventNames, key_of
from shared.model import Backup, Backups, Clock


_FRESH = 30.0  # seconds after its end for which a list is trusted: no backup begins and ends within them


class _SharedList:
    """A list of backups, grouped by a key. Workers share it: it is read once and reused while it is fresh.

    A list is fresh for 30 seconds after its last page. Counted from its first page, a list that takes longer than that
    would be read again for every worker.
    """

    def __init__(self, read: Callable[[], Sequence[Backup]], key: Callable[[Backup], str], clock: Clock) -> None:
        self._read = read
        self._key = key
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: dict[str, list[Backup]] = {}
        self._began = self._ended = float("-inf")

    def get(self, key: str, *, listed_since: float) -> Sequence[Backup]:
        """Return the backups with a key, from a fresh list that began after that moment of the monotonic clock."""
        with self._lock:
            if self._began <= listed_since or self._clock.monotonic() - self._ended > _FRESH:
                began = self._clock.monotonic()
                groups: dict[str, list[Backup]] = {}
                for backup in self._read():
                    groups.setdefault(self._key(backup), []).append(backup)
                self._groups, self._began, self._ended = groups, began, self._clock.monotonic()
            return self._groups.get(key, ())


class ExistingBackups:
    """The backups that have an event's names."""

    def __init__(self, backups: Backups, names: EventNames, instances: Sequence[str], clock: Clock) -> None:
        self._backups = backups
        self._names = names
        read = partial(backups.list, name_part=names.stem, instance_id=_single(instances))
        self._by_name = _SharedList(read, lambda backup: backup.name, clock)

    def find(self, instance_id: str, *, listed_since: float) -> Backup | None:
        """Return the event's backup of an instance, from a list read after that moment of the monotonic clock."""
        named = self._by_name.get(self._names.name(instance_id), listed_since=listed_since)
        return next((backup for backup in named if self._is_ours(backup, instance_id)), None)

    def find_conflict(self, instance_id: str) -> Backup | None:
        """Return a backup that has the name of the event's backup, but that was not made for this event."""
        name = self._names.name(instance_id)
        listed = self._backups.list(name_part=name)
        return next((b for b in listed if b.name == name and not self._is_ours(b, instance_id)), None)

    def _is_ours(self, backup: Backup, instance_id: str) -> bool:
        return backup.instance_id == instance_id and key_of(backup.description) == self._names.key


_GOOD = frozenset({"BUILDING", "COMPLETED"})


class RecentBackups:
    """The backups of this application that are younger than `interval`."""

    def __init__(self, backups: Backups, instances: Sequence[str], interval: timedelta, clock: Clock) -> None:
        self._backups = backups
        self._instance_id = _single(instances)
        self._interval = interval
        self._clock = clock
        self._by_instance = _SharedList(self._read, lambda backup: backup.instance_id, clock)

    def newest(self, instance_id: str, *, listed_since: float) -> Backup | None:
        """Return the newest good backup of an instance within the interval, or None. Failed backups do not count.

        It is from a list read after that moment of the monotonic clock.
        """
        since = self._clock.now() - self._interval
        candidates = [
            (backup.begin_time, backup)
            for backup in self._by_instance.get(instance_id, listed_since=listed_since)
            if backup.status in _GOOD and key_of(backup.description)
            if backup.begin_time and backup.begin_time > since
        ]
        return max(candidates, key=lambda candidate: candidate[0], default=(None, None))[1]

    def _read(self) -> Sequence[Backup]:
        return self._backups.list(instance_id=self._instance_id, since=self._clock.now() - self._interval)


def _single(instances: Sequence[str]) -> str | None:
    """The only instance, which narrows the list in regions that do not filter by name."""
    return instances[0] if len(instances) == 1 else None
