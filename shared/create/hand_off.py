"""Hands instances off to further invocations, as messages to a topic that triggers the function again.

SMN is the queue and FunctionGraph runs the invocations. What identifies the event travels with the instances, so a
message that is published or delivered twice still leads to one backup of each instance.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.create.request import BackupRequest, HandedOn
from shared.identity import event_key
from shared.model import Notification
from shared.notify import Notifier


MAX_HOPS = 10
"""How often an instance is handed off because the time of an invocation was over; after that a redelivery has to do."""


_PATIENCE = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class HandOff:
    """Publishes instances to the request topic.

    Attributes:
        notifier: publishes to the topic that triggers the function.
        size: how many instances one message asks for at most.
    """

    notifier: Notifier
    size: int

    def is_needed_for(self, instances: Sequence[str]) -> bool:
        """Whether these instances are too many for one invocation."""
        return len(instances) > self.size

    @staticmethod
    def is_allowed_for(event: HandedOn) -> bool:
        """Whether instances of an event may be handed off once more."""
        return event.hops < MAX_HOPS

    def publish(self, request: BackupRequest, event: HandedOn, instances: Sequence[str]) -> list[str]:
        """Publish the instances in messages of `size`; return those that the topic accepted within 30 seconds."""
        notifier = replace(self.notifier, retrying=self.notifier.retrying.within(_PATIENCE))
        accepted: list[str] = []
        for start in range(0, len(instances), self.size):
            chunk = list(instances[start : start + self.size])
            if notifier.publish(_message(request, event, chunk)):
                accepted += chunk
        return accepted


def _message(request: BackupRequest, event: HandedOn, instances: list[str]) -> Notification:
    handed_on = event.model_copy(update={"hops": event.hops + 1})
    body: dict[str, object] = {"instance_ids": instances, "handed_on": handed_on.model_dump(mode="json")}
    if request.wanted_name:
        body["name"] = request.wanted_name
    if request.wanted_description:
        body["description"] = request.wanted_description
    if request.min_interval:
        body["min_interval"] = request.min_interval.total_seconds()
    subject = f"DDS backup requested: {len(instances)} instances of event {event_key(event.identity)}"
    return Notification(subject=subject, body=json.dumps(body), email=json.dumps(body, indent=1), sms=subject)
