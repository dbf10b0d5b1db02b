"""Getting a notification out while the deadline allows; sending one twice does no harm, since its id is the same."""

import logging
from dataclasses import dataclass, replace

from shared.backups.errors import CloudError
from shared.backups.notifications import Sender, announce_rejection
from shared.backups.ports import Clock, Notification, Topic
from shared.backups.rejections import Rejection
from shared.backups.retrying import Retrying


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcer:
    """Publishes notifications to the topic, each tried again after what a retry can help."""

    topic: Topic
    retrying: Retrying
    sender: Sender

    @property
    def clock(self) -> Clock:
        """What tells when a notification is made."""
        return self.retrying.waiting.clock

    def announce(self, notification: Notification) -> bool:
        """Whether SMN took the notification; why it did not is in the log."""
        if self.retrying.waiting.left() <= 0:
            return False
        try:
            self.retrying.call(lambda: self.topic.publish(notification))
        except CloudError as error:
            fields = {"code": error.code, "cloud_code": error.cloud_code, "error": str(error)}
            facts = {**fields, "notification": notification.subject}
            _log.warning("notification not published", extra={"fields": facts})
            return False
        return True

    def reject(self, rejection: Rejection, trigger: str) -> Rejection:
        """Announce a rejection: the same, knowing whether SMN took it. What is tried again is not news yet."""
        if rejection.error.retryable:
            return rejection
        notification = announce_rejection(rejection, trigger, self.sender, self.clock.now())
        return replace(rejection, notified=self.announce(notification))
