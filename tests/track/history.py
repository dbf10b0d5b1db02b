"""Backups whose whole life is known beforehand, as DDS would list them at any moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.model import Backup
from tests.fakes import FakeClock, FakeDds


KEY = f"key:{'0' * 32}"


@dataclass(frozen=True)
class Life:
    """From begin to end; DDS shows the end `lag` seconds late, and does not say when it was unless `tells_end`."""

    id: str
    instance_id: str
    begin: datetime
    duration: float
    good: bool = True
    lag: float = 0.0
    tells_end: bool = True
    description: str = KEY

    @property
    def end(self) -> datetime:
        return self.begin + timedelta(seconds=self.duration)

    @property
    def visible(self) -> datetime:
        return self.end + timedelta(seconds=self.lag)

    def at(self, now: datetime) -> Backup:
        """The backup as it is listed at a moment."""
        backup = Backup(
            self.id, f"name-of-{self.id}", self.instance_id, "BUILDING", self.begin, self.description, size=0
        )
        if now < self.visible:
            return backup
        status, size = ("COMPLETED", 2803) if self.good else ("FAILED", 0)
        return replace(backup, status=status, size=size, end_time=self.end if self.tells_end else None)


@dataclass
class History(FakeDds):
    """DDS with backups of known lives."""

    clock: FakeClock = field(default_factory=FakeClock)
    lives: Sequence[Life] = ()

    def list(
        self,
        *,
        name_part: str | None = None,
        description_part: str | None = None,
        backup_id: str | None = None,
        instance_id: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[Backup]:
        self.backups = [life.at(self.clock.now()) for life in self.lives if life.begin <= self.clock.now()]
        return super().list(
            name_part=name_part,
            description_part=description_part,
            backup_id=backup_id,
            instance_id=instance_id,
            since=since,
        )
