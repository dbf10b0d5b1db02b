"""Which instances have a young backup of this application: what `min_interval` asks."""

import threading
from collections.abc import Sequence
from datetime import timedelta

from shared.backups.names import key_of
from shared.backups.ports import Backup, Backups, Clock


_GOOD = frozenset({"BUILDING", "COMPLETED"})


class RecentBackups:
    """The backups of this application younger than `interval`, listed once. Shared by all workers of the event."""

    def __init__(self, backups: Backups, instances: Sequence[str], interval: timedelta, clock: Clock) -> None:
        self._backups = backups
        self._instance_id = instances[0] if len(instances) == 1 else None
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._listed: Sequence[Backup] | None = None

    def youngest(self, instance_id: str) -> Backup | None:
        """The youngest good backup of `instance_id` within the interval, or None. Failed ones do not count."""
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
