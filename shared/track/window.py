"""Windows of time, and what happened to a backup within one: decided only by what DDS lists of the backup."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.model import Backup
from shared.notify import COMPLETED, FAILED, STUCK


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open interval (since, until], so that one window ends where the next begins.

    Attributes:
        fresh_since: what happened after this moment belongs to no earlier window.
    """

    since: datetime
    until: datetime
    fresh_since: datetime

    def contains(self, moment: datetime) -> bool:
        """Whether a moment is in the window."""
        return self.since < moment <= self.until


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the runs of a timer divide time into windows.

    Attributes:
        period: from one run to the next.
        delay: how long before a run its window ends, so that DDS lists everything that happened in it.
        lookback: how many earlier periods each window covers again, so that as many runs in a row may be missed.
    """

    period: timedelta
    delay: timedelta
    lookback: int

    def window(self, time: datetime) -> Window:
        """Return the window of the run that was due at `time`."""
        until = time - self.delay
        fresh_since = until - self.period
        return Window(fresh_since - self.period * self.lookback, until, fresh_since)


_ENDS = {"COMPLETED": COMPLETED, "FAILED": FAILED}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened to a backup (CloudEvents 1.0, occurrence).

    Attributes:
        kind: the CloudEvents type: dds.backup.completed, .failed or .stuck.
        moment: when it happened. Every run finds the same moment, unless DDS lists no end.
    """

    kind: str
    backup: Backup
    moment: datetime


@dataclass(frozen=True, slots=True)
class OccurrenceRules:
    """When something counts as having happened.

    Attributes:
        stuck_after: how long a backup may take before it is stuck.
        period: from one run of the timer to the next.
    """

    stuck_after: timedelta
    period: timedelta

    def occurrence(self, backup: Backup, window: Window) -> Occurrence | None:
        """Return what happened to `backup` within `window`, as known at the end of the window.

        A later look at the same window finds the same: a backup that has ended since then is still found stuck.
        """
        kind = _ENDS.get(backup.status)
        if kind and backup.end_time is None:
            return self._with_unknown_end(kind, backup, window)
        if kind and backup.end_time and backup.end_time <= window.until:
            return Occurrence(kind, backup, backup.end_time) if window.contains(backup.end_time) else None
        return self._stuck(backup, window) if kind or backup.status == "BUILDING" else None

    def _stuck(self, backup: Backup, window: Window) -> Occurrence | None:
        if backup.begin_time is None:
            return None
        moment = backup.begin_time + self.stuck_after
        return Occurrence(STUCK, backup, moment) if window.contains(moment) else None

    def _with_unknown_end(self, kind: str, backup: Backup, window: Window) -> Occurrence | None:
        """Find a backup that ended at an unknown time when its age is 1, 2, 4, 8, ... periods.

        Whenever it ended, one of these moments follows, at the latest at twice its age, and there are few of them.
        """
        if backup.begin_time is None:
            return None
        periods = (window.until - backup.begin_time) // self.period
        if periods < 1:
            return None
        moment = backup.begin_time + self.period * 2 ** (periods.bit_length() - 1)
        return Occurrence(kind, backup, moment) if window.contains(moment) else None
