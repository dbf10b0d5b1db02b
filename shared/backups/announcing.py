"""Getting a notification out while the deadline allows; sending one twice does no harm, since its id is the same."""

import logging
import random
from dataclasses import dataclass, replace

from shared.backups.backoff import backoff
from shared.backups.errors import CloudError, ThrottledError
from shared.backups.notifications import Sender, announce_rejection
from shared.backups.outcomes import Rejection
from shared.backups.pace import Pace
from shared.backups.ports import Notification, Topic
from shared.backups.waiting import Waiting


_log = logging.getLogger(__name__)

_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Announcer:
    """Publishes notifications to the topic, each tried again after what a retry can help."""

    topic: Topic
    waiting: Waiting
    pace: Pace
    rng: random.Random
    sender: Sender

    def announce(self, notification: Notification) -> bool:
        """Whether SMN took the notification; why it did not is in the log."""
        for attempt in range(1, _MOST_TRIES + 1):
            if not self.waiting.turn(self.pace):
                break
            try:
                self.topic.publish(notification)
            except CloudError as error:
                if isinstance(error, ThrottledError):
                    self.pace.throttled(error.retry_after)
                self._report(error, notification, attempt)
                if not error.retryable or not self.waiting.wait(backoff(attempt, self.rng, first=0.2, most=4)):
                    return False
            else:
                self.pace.accepted()
                return True
        return False

    def reject(self, rejection: Rejection, trigger: str) -> Rejection:
        """Announce a rejection: the same, knowing whether SMN took it."""
        notification = announce_rejection(rejection, trigger, self.sender, self.waiting.clock.now())
        return replace(rejection, notified=self.announce(notification))

    def _report(self, error: CloudError, notification: Notification, attempt: int) -> None:
        fields = {"code": error.code, "cloud_code": error.cloud_code, "error": str(error), "attempt": attempt}
        _log.warning("notification not published", extra={"fields": {**fields, "notification": notification.subject}})
