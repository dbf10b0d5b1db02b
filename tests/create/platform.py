"""FunctionGraph, SMN and a project with DDS instances around create_backup, on fakes."""

import json
from collections import Counter, deque
from typing import Any

from shared.bootstrap import create_backup
from shared.errors import UnfinishedEventError
from shared.model import Instance
from tests.fakes import FakeClock, FakeCloud, FakeContext, FakeDds, FakeInstances, FakeTopic, Steady, fake_connect
from tests.triggers import documented as doc


PROJECT = "0162c0f220284698b77a3d264376343a"
NOTIFY = f"urn:smn:cn-north-4:{PROJECT}:dds-backups"
REQUESTS = f"urn:smn:cn-north-4:{PROJECT}:backup-requests"
EVENT = doc.timer(json.dumps({"select": {"name": "*"}}))
"""An event of a timer that selects all instances."""


class Platform:
    """One instance of the function, with one worker unless MAX_CONCURRENCY says otherwise.

    Attributes:
        ids: the ids of the project's instances; the first ones are those of `tests.fakes.INSTANCES`.
        topic: the topic of NOTIFY_TOPIC_URN.
        requests: the topic of REQUEST_TOPIC_URN, which triggers the function.
    """

    def __init__(
        self, size: int = 9, dds: type[FakeDds] = FakeDds, clock: FakeClock | None = None, /, **settings: str
    ) -> None:
        self.clock = clock or FakeClock()
        self.ids = [f"{number:032x}in02" for number in range(1, size + 1)]
        self.dds = dds(self.clock, instances=self.ids, duration=600)
        self.instances = FakeInstances([Instance(i, f"db-{n}") for n, i in enumerate(self.ids)])
        self.topic, self.requests = FakeTopic(), FakeTopic()
        self.cloud = FakeCloud(self.dds, self.topic, self.instances, {REQUESTS: self.requests})
        self.context = FakeContext({"NOTIFY_TOPIC_URN": NOTIFY, "MAX_CONCURRENCY": "1", **settings})
        self.function = create_backup(connect=fake_connect(self.cloud), clock=self.clock, rng=Steady(), environment={})
        self.invocations = 0

    def deliver(self, event: object) -> Any:
        """Deliver an event once; return what the function returns."""
        self.invocations += 1
        self.context.request_id = f"request-{self.invocations}"
        return self.function.handle(event, self.context)

    def deliver_until_they_succeed(self, *events: object, copies: int = 1) -> None:
        """Deliver events, and every message that the function publishes to the request topic.

        Each is delivered `copies` times, and again, up to five times, after an UnfinishedEventError.
        """
        queue = deque((event, 5) for event in events for _ in range(copies))
        seen = 0
        while queue:
            event, tries = queue.popleft()
            try:
                self.deliver(event)
            except UnfinishedEventError:
                assert tries, "an event was given up"
                queue.append((event, tries - 1))
            for note in self.requests.sent[seen:]:
                seen += 1
                queue.extend(
                    [(doc.smn(doc.smn_record(note.body, f"m{seen}-{copy}", REQUESTS)), 5) for copy in range(copies)]
                )

    def assert_each_instance_has_one_backup(self) -> None:
        assert Counter(backup.instance_id for backup in self.dds.backups) == Counter(self.ids)
