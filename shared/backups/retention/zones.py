"""The time zone in which days, weeks, months and years begin."""

from datetime import timezone, tzinfo


UTC = timezone.utc


def read_zone(value: object) -> tzinfo:
    """The zone of an IANA name such as Europe/Berlin; UTC needs no time zone database.

    Raises:
        ValueError: there is no such zone, or this runtime has no time zone database.
    """
    if isinstance(value, tzinfo):
        return value
    if isinstance(value, str) and value.upper() == "UTC":
        return UTC
    import zoneinfo  # only another zone than UTC pays for it

    try:
        return zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database is an OSError
        raise ValueError(_explain(str(value))) from None


def _explain(name: str) -> str:
    import difflib  # only a wrong setting pays for it
    import zoneinfo

    known = zoneinfo.available_timezones()
    if not known:
        return (
            f"this runtime has no time zone database to look {name!r:.80} up in: add the package tzdata to the "
            "function's zip, or use UTC"
        )
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"must be a time zone's IANA name, such as UTC or Europe/Berlin; found {name!r:.80}{hint}"
