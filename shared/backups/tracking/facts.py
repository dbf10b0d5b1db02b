"""What is told of a backup that is followed, the same in announcements and in answers."""

from datetime import datetime, timezone
from typing import Any

from shared.backups.names import key_of
from shared.backups.ports import Backup, BackupJob


UNKNOWN_REASON = "DDS gives no reason; look at the instance and at the backup in the DDS console"


def describe(backup: Backup, job: BackupJob | None) -> dict[str, Any]:
    """A backup as JSON: `size` in KB, `duration` in seconds, times in UTC; what is unknown is null."""
    return {
        "instance_id": backup.instance_id,
        "instance_name": backup.instance_name or None,
        "backup_id": backup.id,
        "name": backup.name,
        "event_key": key_of(backup.description),
        "job_id": job.id if job else None,
        "backup_status": backup.status,
        "begin_time": moment(backup.begin_time),
        "end_time": moment(backup.end_time),
        "duration": duration(backup),
        "size": backup.size if backup.status == "COMPLETED" else None,
    }


def duration(backup: Backup) -> int | None:
    """Seconds from begin to end, as far as DDS tells both."""
    if backup.begin_time is None or backup.end_time is None:
        return None
    return round((backup.end_time - backup.begin_time).total_seconds())


def moment(time: datetime | None) -> str | None:
    """A time in UTC, to the second, as RFC 3339 writes it."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None


def readable_duration(seconds: float) -> str:
    """Such as "2 d 3 h", "1 h 5 min", "42 s": the two largest units."""
    left, parts = round(seconds), []
    for name, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def readable_size(kilobytes: int) -> str:
    """Such as "900 KB", "2.5 GB"."""
    size = float(kilobytes)
    for unit in ("KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.1f}".removesuffix(".0") + f" {unit}"
        size /= 1024
    return f"{size:.1f}".removesuffix(".0") + " TB"
