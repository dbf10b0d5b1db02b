"""Times, durations, sizes and suggestions as people and programs read them."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Literal, overload


_EXCERPT = 60
_KB_IN_GB = 1024**2
_DURATION_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@overload
def timestamp(moment: datetime, precision: Literal["seconds", "milliseconds"] = "seconds") -> str: ...
@overload
def timestamp(moment: None, precision: Literal["seconds", "milliseconds"] = "seconds") -> None: ...
def timestamp(moment: datetime | None, precision: Literal["seconds", "milliseconds"] = "seconds") -> str | None:
    """Format a time in UTC as RFC 3339 does: "2026-06-01T02:00:00Z". None stays None."""
    if moment is None:
        return None
    return moment.astimezone(timezone.utc).isoformat(timespec=precision).replace("+00:00", "Z")


def duration(length: timedelta | float) -> str:
    """Format a duration, or a number of seconds, in its two largest units, rounded down: "3 d 4 h", "45 min", "0 s"."""
    left = int(length.total_seconds() if isinstance(length, timedelta) else length)
    parts: list[str] = []
    for unit, seconds in _DURATION_UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def size(kilobytes: int) -> str:
    """Format a size that DDS gives in KB: "900 KB", "2.5 GB"."""
    number = float(kilobytes)
    for unit in ("KB", "MB", "GB"):
        if number < 1024:
            return f"{number:.1f}".removesuffix(".0") + f" {unit}"
        number /= 1024
    return f"{number:.1f}".removesuffix(".0") + " TB"


def gigabytes(kilobytes: int) -> float:
    """Convert KB, the unit of DDS, to GB, rounded to two digits."""
    return round(kilobytes / _KB_IN_GB, 2)


def counted(count: int, noun: str) -> str:
    """Format a number with its noun: "1 backup", "2 backups"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def excerpt(value: object) -> str:
    """Return the repr of `value`, shortened to fit a message."""
    try:
        return shortened(repr(value), _EXCERPT)
    except RecursionError:
        return "a deeply nested value"


def kind_of(value: object) -> str:
    """Name the kind of a JSON value without any of its content: "an object", "a list", "a text"."""
    return _KINDS.get(type(value), "a number")


_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}


def plain(text: str) -> str:
    """Replace what could forge lines or hide text: control, format and bidi characters, and unusual white space."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def shortened(text: str, most: int) -> str:
    """Return `text`, cut to at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return " (did you mean ...?)" with the closest of the known names, or "" if none is close."""
    import difflib  # only a wrong name pays for the import

    close = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f" (did you mean {close[0]}?)" if close else ""
