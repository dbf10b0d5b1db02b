"""What happened to a backup within a window: decided by what DDS says of it and by nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.backups.event_types import COMPLETED, FAILED, STUCK
from shared.backups.ports import Backup
from shared.backups.tracking.windows import Window


_ENDS = {"COMPLETED": COMPLETED, "FAILED": FAILED}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened to a backup (CloudEvents 1.0, occurrence).

    Attributes:
        kind: the CloudEvents type: dds.backup.completed, .failed or .stuck.
        moment: when; the same whichever tick finds it, unless DDS tells no end.
    """

    kind: str
    backup: Backup
    moment: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """When something counts as having happened.

    Attributes:
        stuck_after: how long a backup may take before it is called stuck.
        period: that of the ticks.
    """

    stuck_after: timedelta
    period: timedelta

    def occurrence(self, backup: Backup, window: Window) -> Occurrence | None:
        """What happened to `backup` within `window`, as one knew it at the window's end.

        A later look at the same window finds the same: a backup that has ended since is still the stuck one it was.
        """
        kind = _ENDS.get(backup.status)
        if kind and backup.end_time is None:
            return self._with_unknown_end(kind, backup, window)
        if kind and backup.end_time and backup.end_time <= window.until:
            return Occurrence(kind, backup, backup.end_time) if window.holds(backup.end_time) else None
        return self._stuck(backup, window) if kind or backup.status == "BUILDING" else None

    def _stuck(self, backup: Backup, window: Window) -> Occurrence | None:
        if backup.begin_time is None:
            return None
        moment = backup.begin_time + self.stuck_after
        return Occurrence(STUCK, backup, moment) if window.holds(moment) else None

    def _with_unknown_end(self, kind: str, backup: Backup, window: Window) -> Occurrence | None:
        """It ended, but DDS does not say when: found when its age is 1, 2, 4, 8, ... periods.

        So whenever it ended, a moment comes that finds it, at the latest at twice its age, and few find it again.
        """
        if backup.begin_time is None:
            return None
        periods = (window.until - backup.begin_time) // self.period
        if periods < 1:
            return None
        moment = backup.begin_time + self.period * 2 ** (periods.bit_length() - 1)
        return Occurrence(kind, backup, moment) if window.holds(moment) else None
