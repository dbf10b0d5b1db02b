"""Watching backups run while the local cloud's clock is moved on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cli.cloud import Cloud


STEP = 5.0
"""Seconds by which the clock moves at once."""

LONGEST = 4 * 3600.0
"""Seconds of the cloud's time after which a backup that still runs is given up."""


@dataclass(slots=True)
class Watched:
    """A backup of the demo: what it is, its progress in percent, and every status that was seen, oldest first."""

    id: str
    name: str
    instance_id: str
    instance_name: str
    job_id: str
    progress: int = 0
    statuses: list[str] = field(default_factory=list)


class BackupWatch:
    """Keeps an eye on every backup that is made from now on."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._earlier = {backup["id"] for backup in self._state("backups")}
        self.backups: dict[str, Watched] = {}
        self.seconds = 0.0
        """By how much the clock was moved."""

    def busy(self) -> set[str]:
        """Return the instances that an operation is going on in."""
        return {instance["id"] for instance in self._state("instances") if instance["actions"]}

    def look(self) -> list[Watched]:
        """Note the status of every new backup, and return those that are still being made."""
        progress = {job["id"]: int(job["progress"].rstrip("%") or 0) for job in self._state("jobs")}
        for backup in self._state("backups"):
            if backup["id"] in self._earlier or backup["type"] != "Manual":
                continue
            facts = {key: backup[key] for key in ("id", "name", "instance_id", "instance_name", "job_id")}
            watched = self.backups.setdefault(backup["id"], Watched(**facts))
            watched.progress = 100 if backup["status"] == "COMPLETED" else progress.get(watched.job_id, 0)
            if backup["status"] not in watched.statuses[-1:]:
                watched.statuses.append(backup["status"])
        return [backup for backup in self.backups.values() if backup.statuses[-1] == "BUILDING"]

    def until_all_are_made(self, show: Callable[[], None]) -> None:
        """Move the clock on, step by step, until no backup is being made; *show* is called before every step."""
        moved = 0.0
        while self.look() and moved < LONGEST:
            show()
            self._cloud.advance(STEP)
            moved += STEP
        self.seconds += moved
        show()

    def _state(self, kind: str) -> list[Any]:
        return list(self._cloud.state()[kind])
