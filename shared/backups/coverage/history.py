"""What the list of manual backups says of one instance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from shared.backups.names import key_of
from shared.backups.ports import Backup


_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class History:
    """The backups of one instance that this application made.

    Attributes:
        newest: the newest good one: COMPLETED, and DDS tells when it began.
        failed: the FAILED ones that no good one followed, the newest first.
        building: the BUILDING ones, the newest first.
    """

    newest: Backup | None = None
    failed: tuple[Backup, ...] = ()
    building: tuple[Backup, ...] = ()

    @property
    def last_attempt(self) -> Backup | None:
        """The newest that began after the newest good one and did not become one so far."""
        later = (b for b in (*self.building, *self.failed) if self.newest is None or _began(b) > _began(self.newest))
        return max(later, key=_began, default=None)

    def stuck(self, now: datetime, after: timedelta) -> list[Backup]:
        """Those that have been BUILDING for longer than `after`."""
        return [backup for backup in self.building if backup.begin_time and now - backup.begin_time > after]


NO_HISTORY = History()


def histories(backups: Iterable[Backup]) -> Mapping[str, History]:
    """The history of each instance that has one, by its id. Other people's backups and automatic ones do not count."""
    ours: dict[str, list[Backup]] = {}
    for backup in backups:
        if key_of(backup.description):
            ours.setdefault(backup.instance_id, []).append(backup)
    return {instance_id: _history(found) for instance_id, found in ours.items()}


def _history(backups: list[Backup]) -> History:
    backups = sorted(backups, key=lambda backup: (_began(backup), backup.id), reverse=True)
    newest = next((backup for backup in backups if backup.status == "COMPLETED" and backup.begin_time), None)
    return History(
        newest,
        failed=tuple(b for b in backups if b.status == "FAILED" and (newest is None or _began(b) > _began(newest))),
        building=tuple(b for b in backups if b.status == "BUILDING"),
    )


def _began(backup: Backup) -> datetime:
    return backup.begin_time or _LONG_AGO
