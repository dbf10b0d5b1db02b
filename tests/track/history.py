"""A fake DDS whose backups have a known course: it lists them at any moment as DDS would."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.model import Backup
from tests.fakes import FakeClock, FakeDds


KEY = f"key:{'0' * 32}"


@dataclass(frozen=True)
class Course:
    """The course of a backup.

    Attributes:
        duration: in seconds.
        good: whether the backup ends as COMPLETED, otherwise as FAILED.
        lag: how many seconds late DDS shows the end.
        shows_end: whether DDS lists the end time.
    """

    id: str
    instance_id: str
    begin: datetime
    duration: float
    good: bool = True
    lag: float = 0.0
    shows_end: bool = True
    description: str = KEY

    @property
    def end(self) -> datetime:
        """When the backup ends."""
        return self.begin + timedelta(seconds=self.duration)

    @property
    def end_shown(self) -> datetime:
        """When DDS begins to show the end."""
        return self.end + timedelta(seconds=self.lag)

    def at(self, now: datetime) -> Backup:
        """Return the backup as DDS lists it at a moment."""
        backup = Backup(
            self.id, f"name-of-{self.id}", self.instance_id, "BUILDING", self.begin, self.description, size=0
        )
        if now < self.end_shown:
            return backup
        status, size = ("COMPLETED", 2803) if self.good else ("FAILED", 0)
        return replace(backup, status=status, size=size, end_time=self.end if self.shows_end else None)


@dataclass
class History(FakeDds):
    """A fake DDS that lists backups of known courses."""

    clock: FakeClock = field(default_factory=FakeClock)
    courses: Sequence[Course] = ()

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        self.backups = [course.at(self.clock.now()) for course in self.courses if course.begin <= self.clock.now()]
        return super().list(
            name_part=name_part,
            description_part=description_part,
            backup_id=backup_id,
            instance_id=instance_id,
            since=since,
        )
