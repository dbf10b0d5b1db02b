"""Follows the backups of this application to their end: lists them once and publishes what happened in a window."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from shared.identity import key_of
from shared.jobs import JobFinder
from shared.model import Backup, BackupJob, Backups
from shared.notify import Notifier
from shared.retry import Retrying
from shared.track.report import Followed, Published, occurrence_notification
from shared.track.window import Occurrence, OccurrenceRules, Window


@dataclass(frozen=True, slots=True)
class Follower:
    """Publishes what happened to backups.

    Attributes:
        follow_for: how long before a window a backup may have begun and still be found.
        concurrency: how many notifications are published at a time.
    """

    backups: Backups
    jobs: JobFinder
    rules: OccurrenceRules
    follow_for: timedelta
    retrying: Retrying
    notifier: Notifier
    concurrency: int
    rng: random.Random

    def follow(self, window: Window) -> Followed:
        """Publish what happened within `window`.

        Raises:
            CloudError: the backups cannot be listed.
        """
        listed = self._list(window)
        found = [occurrence for b in listed if (occurrence := self.rules.occurrence(b, window))]
        jobs = self.jobs.find_all([occurrence.backup for occurrence in found])
        # Shuffled, so that deliveries that run out of time do not all leave out the same ones.
        self.rng.shuffle(found)
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="announce") as pool:
            published = list(pool.map(lambda o: self._publish(o, jobs.get(o.backup.id), window), found))
        return Followed(
            window,
            sorted(published, key=lambda one: (one.occurrence.moment, one.occurrence.backup.id)),
            building=sum(backup.status == "BUILDING" for backup in listed),
            untimed=[b.id for b in listed if b.status in {"COMPLETED", "FAILED"} and not (b.begin_time or b.end_time)],
        )

    def _list(self, window: Window) -> list[Backup]:
        """List this application's backups, each once: pages overlap if a backup begins while they are read."""
        listed = self.retrying.call(lambda: self.backups.list(since=window.since - self.follow_for))
        return list({backup.id: backup for backup in listed if key_of(backup.description)}.values())

    def _publish(self, occurrence: Occurrence, job: BackupJob | None, window: Window) -> Published:
        is_again = occurrence.moment <= window.fresh_since
        notification = occurrence_notification(
            occurrence,
            job,
            stuck_after=self.rules.stuck_after,
            is_again=is_again,
            sender=self.notifier.sender,
        )
        return Published(occurrence, is_again, notified=self.notifier.publish(notification))
