"""Which backups of an event exist already, as DDS lists them: looked up once and believed while it is fresh."""

import threading
from collections.abc import Sequence

from shared.backups.names import EventNames, key_of
from shared.backups.ports import Backup, Backups, Clock


class Catalogue:
    """The backups that bear an event's names. Shared by all workers of the event."""

    def __init__(self, backups: Backups, names: EventNames, instances: Sequence[str], clock: Clock) -> None:
        self._backups = backups
        self._names = names
        self._clock = clock
        # A single instance narrows the list in regions that do not filter by name.
        self._instance_id = instances[0] if len(instances) == 1 else None
        self._lock = threading.Lock()
        self._listed: Sequence[Backup] = ()
        self._listed_at: float | None = None

    def find(self, instance_id: str, *, listed_since: float) -> Backup | None:
        """The event's backup of `instance_id`, in a list made after that moment of the monotonic clock."""
        return next(
            (b for b in self._look(listed_since) if self._is_named(b, instance_id) and self._is_ours(b, instance_id)),
            None,
        )

    def find_stranger(self, instance_id: str) -> Backup | None:
        """A backup that has the name wanted for `instance_id` but was not made for this event."""
        listed = self._backups.list(name_part=self._names.name(instance_id))
        return next((b for b in listed if self._is_named(b, instance_id) and not self._is_ours(b, instance_id)), None)

    def _is_named(self, backup: Backup, instance_id: str) -> bool:
        return backup.name == self._names.name(instance_id)

    def _is_ours(self, backup: Backup, instance_id: str) -> bool:
        return backup.instance_id == instance_id and key_of(backup.description) == self._names.key

    def _look(self, listed_since: float) -> Sequence[Backup]:
        with self._lock:
            if self._listed_at is None or self._listed_at <= listed_since:
                now = self._clock.monotonic()
                self._listed = self._backups.list(name_part=self._names.stem, instance_id=self._instance_id)
                self._listed_at = now
            return self._listed
