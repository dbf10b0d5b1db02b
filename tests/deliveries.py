"""Deliveries of an event to the real function: the official SDK against the local cloud, only time is not real."""

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from localcloud import LocalCloud
from shared.bootstrap import Function, create_backup
from shared.create.function import CreateBackupSettings
from shared.errors import UnfinishedEventError
from tests.fakes import FakeContext, Steady
from tests.triggers import documented as doc


READ_TIMEOUT = 0.3


class CloudClock:
    """Sleeping moves the local cloud's clock instead of waiting."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._skipped = 0.0

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + timedelta(seconds=self._skipped)

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds
        self._cloud.advance(seconds)


class Deliveries:
    """One event, delivered to the function as often as FunctionGraph would."""

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

    def deliver(self, instance: int = 0) -> dict[str, Any] | None:
        """Deliver the event to an instance of the function; None if it raised for a redelivery."""
        if instance not in self.functions:
            self.functions[instance] = create_backup(clock=self.clock, rng=Steady(), environment={})
        try:
            return self.functions[instance].handle(self.event, self.context)
        except UnfinishedEventError:
            return None

    def deliver_until_it_succeeds(self, most: int = 10) -> dict[str, Any]:
        """Deliver, a minute apart, until the function raises nothing."""
        for _ in range(most):
            if report := self.deliver():
                return report
            self.clock.sleep(60)
        raise AssertionError(f"not done after {most} deliveries")

    def backups(self) -> list[Any]:
        """The event's backups as the cloud has them."""
        return [b for b in self.cloud.state()["backups"] if b["name"].startswith("dds-backup-")]

    def assert_claim(self) -> None:
        """Each instance has exactly one backup of the event, and its job id was published at least once."""
        backups = self.backups()
        assert sorted(b["instance_id"] for b in backups) == sorted(self.instances)
        announced = [json.loads(message["message"]) for message in self.cloud.messages()]
        for backup in backups:
            jobs = {
                note["data"]["job_id"]
                for note in announced
                if note["type"] == "dds.backup.started" and note["subject"] == backup["instance_id"]
            }
            assert backup["job_id"] in jobs, f"{backup['job_id']} not in {jobs}"
