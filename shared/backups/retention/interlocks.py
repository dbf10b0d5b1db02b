"""Which backups must stay whatever the rules say."""

from datetime import datetime, timedelta

from shared.backups.ports import Backup


RECENT = timedelta(days=1)
"""How long a backup is needed as a memory, whatever the rules: an event may be delivered for a day (FunctionGraph,
asynchronous invocation, maximum event age) and has to find its backup, or it makes another; its end is announced."""

FAILED_KEPT_FOR = timedelta(days=7)
"""How long a failed backup stays, for whoever looks into it."""

_BY_STATUS = {"BUILDING": "building", "DISABLED": "being_deleted", "COMPLETED": None, "FAILED": None}
"""DDS API, Querying the Backup List: DISABLED is a backup that is being deleted."""


def interlock(backup: Backup, now: datetime) -> str | None:
    """What keeps a backup from being judged by the rules; None if they decide.

    A backup that began or ended after `now` is left alone, so that a plan for a time in the past stays the same.
    """
    if by_status := _BY_STATUS.get(backup.status, "unknown_status"):
        return by_status
    if backup.begin_time is None:
        return "no_begin_time"
    if backup.begin_time > now:
        return "begun_later"
    if backup.end_time and backup.end_time > now:
        return "building"
    if backup.status == "FAILED" and now - backup.begin_time <= FAILED_KEPT_FOR:
        return "recently_failed"
    return None


def is_recent(backup: Backup, now: datetime) -> bool:
    """Whether a delivery of the backup's event may still come."""
    return backup.begin_time is None or now - backup.begin_time < RECENT
