"""What a check finds."""

from dataclasses import dataclass
from enum import Enum

from cli.json_value import JsonObject


class Level(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact: what it is about, what was found, what was expected, and what to do."""

    level: Level
    subject: str
    found: str
    expected: str = ""
    what_to_do: str = ""

    def as_json(self, check: str) -> JsonObject:
        """Return it under the name of its check."""
        return {
            "check": check,
            "level": self.level.value,
            "subject": self.subject,
            "found": self.found,
            "expected": self.expected,
            "what_to_do": self.what_to_do,
        }


def ok(subject: str, found: str) -> Finding:
    """All is well with it."""
    return Finding(Level.OK, subject, found)


def warning(subject: str, found: str, expected: str, what_to_do: str) -> Finding:
    """It works, and probably not as it was meant to."""
    return Finding(Level.WARNING, subject, found, expected, what_to_do)


def problem(subject: str, found: str, expected: str, what_to_do: str) -> Finding:
    """It cannot work."""
    return Finding(Level.PROBLEM, subject, found, expected, what_to_do)


def not_checked(subject: str, reason: str) -> Finding:
    """Nothing is known about it."""
    return Finding(Level.NOT_CHECKED, subject, reason)
