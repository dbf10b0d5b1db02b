"""Which backups are worth keeping, as people write it: ``last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=400d``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations

from shared.backups.retention.periods import MOST_WITHIN, Tier


LAST = "last"
MAX_AGE = "max_age"

_KNOWN = (LAST, *(tier.value for tier in Tier), MAX_AGE)
_MOST = 10_000
_AGE = re.compile(r"([1-9][0-9]{0,5})([hdw])")
_AGE_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_EXAMPLE = "last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=400d"


@dataclass(frozen=True, slots=True)
class Retention:
    """The rules of retention.

    Attributes:
        last: how many of the newest backups of an instance are kept, whenever they were made.
        tiers: for each tier, of how many periods that have a backup the newest one is kept.
        max_age: what is older goes, whatever the others say. Alone, it keeps all that is younger.
    """

    last: int = 0
    tiers: dict[Tier, int] = field(default_factory=dict)
    max_age: timedelta | None = None

    def __str__(self) -> str:
        """As it is written in the setting."""
        parts = [f"{LAST}={self.last}"] * bool(self.last)
        parts += [f"{tier.value}={self.tiers[tier]}" for tier in Tier if tier in self.tiers]
        if self.max_age:
            hours, day = int(self.max_age.total_seconds()) // 3600, 24
            parts.append(f"{MAX_AGE}={hours}h" if hours % day else f"{MAX_AGE}={hours // day}d")
        return " ".join(parts)


def read_retention(value: object) -> Retention:
    """The rules as written, in any order, separated by blanks or commas.

    Raises:
        ValueError: says everything that is wrong with them.
    """
    if isinstance(value, Retention):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a text such as {_EXAMPLE!r}; found {value!r:.80}")  # noqa: TRY004 pydantic's way
    faults: list[str] = []
    counts: dict[str, int] = {}
    max_age: timedelta | None = None
    for name, text in _parts(value, faults):
        if name == MAX_AGE:
            max_age = _age(text, faults)
        elif (count := _count(name, text, faults)) is not None:
            counts[name] = count
    tiers = {tier: counts[tier.value] for tier in Tier if tier.value in counts}
    faults += _too_short(tiers)
    if not faults and not counts and not max_age:
        faults.append(f"must hold at least one rule, such as {_EXAMPLE!r}; found {value!r:.80}")
    if faults:
        raise ValueError("; ".join(faults))
    return Retention(counts.get(LAST, 0), tiers, max_age)


def _parts(value: str, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Each rule's name and value; of a name that comes twice the first."""
    seen: set[str] = set()
    for part in filter(None, re.split(r"[,\s]+", value)):
        name, equals, text = part.partition("=")
        name = name.lower()
        if not equals or not text:
            faults.append(f"{part[:40]}: must be RULE=VALUE without blanks in it, such as daily=7")
        elif name not in _KNOWN:
            faults.append(f"{name[:40]}: no such rule{_did_you_mean(name)}; the rules are {', '.join(_KNOWN)}")
        elif name in seen:
            faults.append(f"{name}: must come once")
        else:
            seen.add(name)
            yield name, text


def _count(name: str, text: str, faults: list[str]) -> int | None:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST and len(text) < 9:
        return int(text)
    faults.append(f"{name}: must be a number from 1 to {_MOST:,}; found {text!r:.40} (to keep none, leave it out)")
    return None


def _age(text: str, faults: list[str]) -> timedelta | None:
    if match := _AGE.fullmatch(text.lower()):
        return timedelta(**{_AGE_UNITS[match[2]]: int(match[1])})
    faults.append(
        f"{MAX_AGE}: must be a number of hours, days or weeks, such as 36h, 400d or 52w (a month has no fixed "
        f"length); found {text!r:.40}"
    )
    return None


def _too_short(tiers: dict[Tier, int]) -> Iterator[str]:
    """Rarer tiers that reach less far back than more frequent ones (MongoDB Atlas's rule for backup policies)."""
    for frequent, rarer in combinations([tier for tier in Tier if tier in tiers], 2):
        most = MOST_WITHIN[rarer][frequent]
        if tiers[frequent] > tiers[rarer] * most:
            needed = -(-tiers[frequent] // most)
            yield (
                f"{rarer.value}={tiers[rarer]} reaches less far back than {frequent.value}={tiers[frequent]}: "
                f"must be at least {rarer.value}={needed}, or {frequent.value}={tiers[rarer] * most} at most"
            )


def _did_you_mean(name: str) -> str:
    import difflib  # only a wrong setting pays for it

    close = difflib.get_close_matches(name, _KNOWN, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
