"""Deliveries of an event to create_backup on the local cloud, through the official SDK, and the faults of the cloud.

Only time is simulated.
"""

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

from localcloud import LocalCloud
from shared.bootstrap import Function, create_backup
from shared.create.function import CreateBackupSettings
from shared.errors import UnfinishedEventError
from tests.fakes import FakeContext, Steady
from tests.triggers import documented as doc


READ_TIMEOUT = 0.3

# The calls that a fault rule of the local cloud matches.
LIST = {"method": "GET", "path": "/backups$"}
CREATE = {"method": "POST", "path": "/backups$"}
PUBLISH = {"path": "/publish$"}
TASKS = {"method": "GET", "path": "/jobs$"}


def _error(status: int, code: str, **more: Any) -> dict[str, Any]:
    """Return an answer with the error in the spellings of DDS and of SMN, so that one fault serves both."""
    body = {"error_code": code, "error_msg": "fault", "code": code, "message": "fault", "request_id": "r"}
    return {"answer": {"status": status, "body": body, **more}}


FAULTS: dict[str, dict[str, Any]] = {
    "busy": _error(403, "DBS.200019"),
    "system busy": _error(400, "DBS.200998"),
    "throttled": _error(429, "APIGW.0308"),
    "throttled with a pause": _error(429, "DBS.280443", headers={"Retry-After": "3"}),
    "internal error": _error(500, "DBS.280005"),
    "gateway timeout": _error(504, "APIGW.0201"),
    "bad gateway in html": {"answer": {"status": 502, "body": "<html>Bad Gateway</html>"}},
    "unavailable": _error(503, "APIGW.0613"),
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "truncated": {"truncate": 20},
    "garbled": {"garble": True},
    "redirected": {"answer": {"status": 302, "body": "", "headers": {"Location": "http://127.0.0.1:9/"}}},
    "empty 202": {"answer": {"status": 202, "body": ""}},
    "slow success": {"delay": READ_TIMEOUT * 1.5},
}
"""What can happen to one call: the effects of fault rules of the local cloud."""


class CloudClock:
    """A clock whose sleep moves the local cloud's clock instead of waiting.

    Sleeps of several threads that overlap pass the time once.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._skipped = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + timedelta(seconds=self._skipped)

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        until = self._skipped + seconds
        with self._lock:
            left = until - self._skipped
            if left > 0:
                self._cloud.advance(left)
                self._skipped = until


class Deliveries:
    """One event for some instances, and the instances of the function that it is delivered to."""

    def __init__(self, cloud: LocalCloud, instances: Sequence[str], **settings: str) -> None:
        self.cloud = cloud
        self.instances = list(instances)
        connection = cloud.connection()
        self.context = FakeContext(
            {
                "NOTIFY_TOPIC_URN": connection["topic_urn"],
                "DDS_ENDPOINT": connection["endpoint"],
                "SMN_ENDPOINT": connection["endpoint"],
                "READ_TIMEOUT": str(READ_TIMEOUT),
                "MAX_CONCURRENCY": "1",
                **settings,
            },
            access_key=connection["access_key"],
            secret_key=connection["secret_key"],
            security_token=connection["security_token"],
            project_id=connection["project_id"],
        )
        self.clock = CloudClock(cloud)
        self.event = doc.smn(doc.smn_record(json.dumps({"instance_ids": self.instances})))
        self.functions: dict[int, Function[CreateBackupSettings]] = {}

    @classmethod
    def of(cls, cloud: LocalCloud, *, instances: int, workers: int) -> "Deliveries":
        """Return an event for the first of the local cloud's instances, with that many workers."""
        return cls(cloud, cloud.connection()["instance_ids"][:instances], MAX_CONCURRENCY=str(workers))

    def deliver(self, instance: int = 0) -> dict[str, Any] | None:
        """Deliver the event to that instance of the function; return None if it raised for a redelivery."""
        if instance not in self.functions:
            self.functions[instance] = create_backup(clock=self.clock, rng=Steady(), environment={})
        try:
            return self.functions[instance].handle(self.event, self.context)
        except UnfinishedEventError:
            return None

    def deliver_twice_at_once(self) -> None:
        """Deliver the event to two instances of the function at the same time."""
        barrier = threading.Barrier(2)

        def deliver(instance: int) -> None:
            barrier.wait()
            self.deliver(instance)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(deliver, (0, 1)))

    def deliver_until_it_succeeds(self, most: int = 10) -> dict[str, Any]:
        """Deliver the event, once a minute, until the function raises nothing."""
        for _ in range(most):
            if report := self.deliver():
                return report
            self.clock.sleep(60)
        raise AssertionError(f"unfinished after {most} deliveries")

    def backups(self) -> list[Any]:
        """Return the event's backups as the local cloud has them."""
        return [b for b in self.cloud.state()["backups"] if b["name"].startswith("dds-backup-")]

    def assert_claim(self) -> None:
        """Assert that each instance has exactly one backup of the event, and that its job id was published."""
        backups = self.backups()
        assert sorted(b["instance_id"] for b in backups) == sorted(self.instances)
        published = [json.loads(message["message"]) for message in self.cloud.messages()]
        for backup in backups:
            jobs = {
                note["data"]["job_id"]
                for note in published
                if note["type"] == "dds.backup.started" and note["subject"] == backup["instance_id"]
            }
            assert backup["job_id"] in jobs, f"{backup['job_id']} not in {jobs}"
