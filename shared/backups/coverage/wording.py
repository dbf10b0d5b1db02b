"""How durations, moments and sizes are written in texts for people."""

from datetime import datetime, timedelta, timezone


_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_KB_IN_GB = 1024**2


def in_words(duration: timedelta) -> str:
    """The two largest units that are not zero, rounded down: "3 d 4 h", "45 min", "0 s"."""
    rest, parts = int(duration.total_seconds()), []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def at(moment: datetime | None) -> str | None:
    """A moment as the notifications write it: "2026-06-01T02:00:00Z"."""
    if moment is None:
        return None
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def gigabytes(size: int) -> float:
    """KB, as DDS counts, in GB."""
    return round(size / _KB_IN_GB, 2)


def counted(count: int, noun: str) -> str:
    """ "1 backup", "2 backups"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
