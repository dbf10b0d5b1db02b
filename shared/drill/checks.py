"""What a drill checks: whether the backup came back, and whether what came back is what was backed up.

Level 0 asks DDS about the restore and the copy, level 1 asks DDS for the databases of both, and level 2 reads the
documents of the copy (`shared.drill.connect`). Only levels 0 and 1 work without a way into the VPC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

from shared.model import Backup, Instance, InstanceTask
from shared.retry import Deadline


Level = Literal[0, 1, 2]


class Verdict(str, Enum):
    """What a drill says about a backup."""

    VERIFIED = "VERIFIED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared.

    Attributes:
        name: such as "databases"; unique in an inspection.
        level: 0 the restore and the copy, 1 the databases as DDS lists them, 2 the documents.
        passed: None if it could not be checked.
        tolerance: by how much `found` may differ from `expected`.
        reason: why it could not be checked, or what the failure means.
        is_required: whether the backup counts as verified only if this check has passed.
    """

    name: str
    level: Level
    expected: str
    found: str
    passed: bool | None
    tolerance: str = ""
    reason: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Inspection:
    """The checks of one drill, in the order in which they were made.

    Attributes:
        rpo: seconds between the newest data in the copy and the begin of the backup; None if it was not measured.
    """

    checks: tuple[Check, ...]
    rpo: float | None = None

    @property
    def verdict(self) -> Verdict:
        """What the checks say about the backup."""
        return judge(self.checks)


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill has restored.

    Attributes:
        copy: the new instance.
        source: the instance that was backed up, as it is now; None if it is gone.
        task: the restore in DDS's task list; None if DDS lists none.
        password: of the copy's administrator; None if it is not known, so that level 2 cannot be checked.
        expect: the least that the copy holds. A key is a database ("shop"), its value the number of collections, or a
            database and a collection ("shop.orders"), its value the number of documents.
    """

    copy: Instance
    source: Instance | None
    backup: Backup
    task: InstanceTask | None
    password: str | None = field(default=None, repr=False)
    expect: Mapping[str, int] = field(default_factory=dict)


class Inspector(Protocol):
    """Checks what a drill has restored. Raises nothing that comes from DDS: what cannot be checked is a result."""

    def inspect(self, drilled: Drilled, deadline: Deadline) -> Inspection:
        """Make every check that there is time for."""


def judge(checks: Iterable[Check]) -> Verdict:
    """Return FAILED if a check has failed, INCONCLUSIVE if a required one could not be checked, else VERIFIED.

    Without any check nothing is known: INCONCLUSIVE.
    """
    checks = list(checks)
    if any(check.passed is False for check in checks):
        return Verdict.FAILED
    if not checks or any(check.passed is None and check.is_required for check in checks):
        return Verdict.INCONCLUSIVE
    return Verdict.VERIFIED
