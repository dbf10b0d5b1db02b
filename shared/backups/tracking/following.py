"""All backups of this application in one list, and everything that happened to them in a window announced."""

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.backups.announcing import Announcer
from shared.backups.names import key_of
from shared.backups.ports import Backup, BackupJob, Backups
from shared.backups.retrying import Retrying
from shared.backups.tracking.announcements import announce
from shared.backups.tracking.facts import moment
from shared.backups.tracking.occurrences import Occurrence, Rules
from shared.backups.tracking.tasks import Tasks
from shared.backups.tracking.windows import Window


@dataclass(frozen=True, slots=True)
class Announced:
    """An occurrence and whether SMN took its notification; `is_again` if it belongs to an earlier tick."""

    occurrence: Occurrence
    is_again: bool
    notified: bool

    def document(self) -> dict[str, Any]:
        """The announcement as JSON."""
        backup = self.occurrence.backup
        return {
            "type": self.occurrence.kind,
            "time": moment(self.occurrence.moment),
            "instance_id": backup.instance_id,
            "backup_id": backup.id,
            "name": backup.name,
            "again": self.is_again,
            "notified": self.notified,
        }


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a window.

    Attributes:
        announced: in the order of their moments.
        building: how many backups were being made when the list was read.
        untimed: the ids of backups that are over and of which DDS tells neither begin nor end: they fall in no window.
    """

    window: Window
    announced: Sequence[Announced]
    building: int
    untimed: Sequence[str]

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        facts: dict[str, Any] = {
            "since": moment(self.window.since),
            "until": moment(self.window.until),
            "announced": [announced.document() for announced in self.announced],
            "building": self.building,
        }
        return facts | ({"untimed": list(self.untimed)} if self.untimed else {})

    def summary(self) -> dict[str, Any]:
        """The same with counts by type, for a line of the log."""
        counts = Counter(announced.occurrence.kind for announced in self.announced)
        return {**self.document(), "announced": dict(counts)}


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows backups to their end; holds nothing of any of them.

    Attributes:
        follow_for: how long before a window a backup may have begun and still be looked for.
        concurrency: how many notifications are published at a time.
    """

    backups: Backups
    tasks: Tasks
    rules: Rules
    follow_for: timedelta
    retrying: Retrying
    announcer: Announcer
    concurrency: int
    rng: random.Random

    def follow(self, window: Window) -> Followed:
        """Announce what happened within `window`; raises CloudError if the backups cannot be listed."""
        listed = self._list(window)
        found = [occurrence for b in listed if (occurrence := self.rules.occurrence(b, window))]
        jobs = self.tasks.of([occurrence.backup for occurrence in found])
        # In another order each time: a delivery that runs out of time must not leave the same ones again.
        self.rng.shuffle(found)
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="announce") as pool:
            announced = list(pool.map(lambda o: self._announce(o, jobs.get(o.backup.id), window), found))
        return Followed(
            window,
            sorted(announced, key=lambda a: (a.occurrence.moment, a.occurrence.backup.id)),
            building=sum(backup.status == "BUILDING" for backup in listed),
            untimed=[b.id for b in listed if b.status in {"COMPLETED", "FAILED"} and not (b.begin_time or b.end_time)],
        )

    def _list(self, window: Window) -> list[Backup]:
        """This application's backups, each once: pages overlap when a backup begins while they are read."""
        listed = self.retrying.call(lambda: self.backups.list(since=window.since - self.follow_for))
        return list({backup.id: backup for backup in listed if key_of(backup.description)}.values())

    def _announce(self, occurrence: Occurrence, job: BackupJob | None, window: Window) -> Announced:
        is_again = occurrence.moment <= window.fresh_since
        notification = announce(
            occurrence,
            job,
            stuck_after=self.rules.stuck_after,
            is_again=is_again,
            sender=self.announcer.sender,
        )
        return Announced(occurrence, is_again, notified=self.announcer.announce(notification))
