"""Work for more than one invocation: instances handed on as messages to a topic that triggers the function again.

SMN is the queue and FunctionGraph the engine. The names of the backups travel with the instances, so that a message
which is published or delivered twice still makes one backup an instance.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shared.backups.announcing import Announcer
from shared.backups.names import EventNames
from shared.backups.ports import Notification
from shared.backups.requests import BackupRequest, HandedOn


MOST_HOPS = 10
"""How often an instance is handed on because an invocation's time was over, before that is left to a redelivery."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """Hands instances on.

    Attributes:
        requests: publishes to the topic that triggers the function.
        size: how many instances one invocation is asked to back up.
    """

    requests: Announcer
    size: int

    def is_needed_for(self, instances: Sequence[str]) -> bool:
        """Whether these are more than one invocation should do."""
        return len(instances) > self.size

    @staticmethod
    def may_go_on(request: BackupRequest) -> bool:
        """Whether what is left of a request may be handed on once more."""
        return request.handed_on is None or request.handed_on.hops < MOST_HOPS

    def hand_on(self, request: BackupRequest, names: EventNames, instances: Sequence[str]) -> list[str]:
        """Publish the instances in messages of `size`; returns those that the topic took."""
        taken: list[str] = []
        for start in range(0, len(instances), self.size):
            portion = list(instances[start : start + self.size])
            if self.requests.announce(_message(request, names, portion)):
                taken += portion
        return taken


def _message(request: BackupRequest, names: EventNames, instances: list[str]) -> Notification:
    hops = request.handed_on.hops + 1 if request.handed_on else 1
    handed_on = HandedOn(stem=names.stem, key=names.key, exact=names.exact, hops=hops)
    body: dict[str, object] = {"instance_ids": instances, "handed_on": handed_on.model_dump()}
    if request.wanted_description:
        body["description"] = request.wanted_description
    if request.min_interval:
        body["min_interval"] = request.min_interval.total_seconds()
    subject = f"DDS backup requested: {len(instances)} instances of event {names.key}"
    return Notification(subject=subject, body=json.dumps(body), email=json.dumps(body, indent=1), sms=subject)
