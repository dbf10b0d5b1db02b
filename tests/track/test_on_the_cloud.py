"""Backups made and followed on the local cloud, through the official SDK; only time is not real."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from shared.bootstrap import Function, track_backups
from shared.errors import UnfinishedEventError
from shared.track.function import TrackBackupsSettings
from tests.create.test_claim import FAULTS
from tests.deliveries import Deliveries
from tests.fakes import Steady
from tests.triggers import documented as doc


PERIOD = timedelta(minutes=5)


class Night:
    """A night of backups by create_backup, and ticks of track_backups, on the local cloud."""

    def __init__(self, cloud: LocalCloud, instances: Iterable[str], **settings: str) -> None:
        self.cloud = cloud
        self.deliveries = Deliveries(cloud, list(instances), **settings)
        self.clock, self.context = self.deliveries.clock, self.deliveries.context
        self.began = self.clock.now()
        self.function: Function[TrackBackupsSettings] = track_backups(clock=self.clock, rng=Steady(), environment={})

    def wait_for(self, time: datetime) -> None:
        self.clock.sleep(max(0.0, (time - self.clock.now()).total_seconds()))

    def tick(self, number: int, most: int = 12) -> None:
        """Deliver a tick until the function raises nothing, killed or not."""
        time = self.began + number * PERIOD
        self.wait_for(time)
        for _ in range(most):
            try:
                self.function.handle(doc.timer("", time=time.isoformat()), self.context)
            except UnfinishedEventError:
                self.clock.sleep(20)
            else:
                return
        raise AssertionError(f"not done after {most} deliveries")

    def ends(self) -> dict[str, list[dict[str, Any]]]:
        """What was published about ends, by id."""
        events = [json.loads(message["message"]) for message in self.cloud.messages()]
        found: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            if event["type"] in {"dds.backup.completed", "dds.backup.failed", "dds.backup.stuck"}:
                del event["data"]["request_id"]
                found.setdefault(event["id"], []).append(event)
        return found

    def assert_every_end_is_announced(self) -> None:
        """Each backup's end under one id that announces nothing else.

        What the task list adds, job id and reason, is missing where that list failed.
        """
        announced = {}
        for versions in self.ends().values():
            added = {"job_id": 0, "message": 0}
            assert all({**v["data"], **added} == {**versions[0]["data"], **added} for v in versions)
            announced[versions[0]["data"]["backup_id"]] = versions[0]["type"]
        assert len(announced) == len(self.ends())
        assert announced == {
            backup["id"]: f"dds.backup.{backup['status'].lower()}" for backup in self.deliveries.backups()
        }


def instances_of(cloud: LocalCloud) -> list[str]:
    """Two that go well and the one whose backups fail."""
    archive = next(i["id"] for i in cloud.state()["instances"] if i["name"] == "archive")
    return [*cloud.connection()["instance_ids"][:2], archive]


def test_a_night_on_the_local_cloud(cloud: LocalCloud) -> None:
    """Backups made through the SDK and followed through the SDK: size, duration, reason, job."""
    night = Night(cloud, instances_of(cloud))
    night.deliveries.deliver_until_it_succeeds()
    for number in range(1, 4):
        night.tick(number)

    night.assert_every_end_is_announced()
    by_instance = {versions[0]["subject"]: versions[0]["data"] for versions in night.ends().values()}
    backups = {backup["instance_id"]: backup for backup in night.deliveries.backups()}
    for instance, data in by_instance.items():
        assert data["job_id"] == backups[instance]["job_id"]
        assert data["duration"] is not None
    orders, _, archive = (by_instance[instance] for instance in night.deliveries.instances)
    assert (orders["size"], archive["message"]) == (4 * 1024**2, "The backup could not be uploaded to OBS.")


def test_questions_on_the_local_cloud(cloud: LocalCloud) -> None:
    """By job, by backup and by the key that the caller gave to create_backup."""
    night = Night(cloud, instances_of(cloud)[:2])
    night.deliveries.event = {"instance_ids": night.deliveries.instances, "idempotency_key": "release-42"}
    report = night.deliveries.deliver_until_it_succeeds()
    made = report["results"][0]

    def ask(question: dict[str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = night.function.handle(question, night.context)
        return answer

    for question in ({"job_id": made["job_id"]}, {"backup_id": made["backup_id"]}, {"idempotency_key": "release-42"}):
        answer = ask(question)
        running = next(b for b in answer["answers"][0]["backups"] if b["instance_id"] == made["instance_id"])
        assert (answer["state"], running["backup_id"], running["job_id"]) == (
            "RUNNING",
            made["backup_id"],
            made["job_id"],
        )
        assert running["progress"].endswith("%")
    night.clock.sleep(600)
    for question in ({"job_id": made["job_id"]}, {"backup_id": made["backup_id"]}, {"idempotency_key": "release-42"}):
        assert ask(question)["state"] == "COMPLETED"
    assert len(ask({"idempotency_key": "release-42"})["answers"][0]["backups"]) == 2
    assert ask({"job_id": "no-such-job"})["state"] == "UNKNOWN"
    assert ask({"backup_id": "f" * 32 + "br02"})["state"] == "UNKNOWN"


def test_a_job_that_shows_late_is_not_an_error(cloud: LocalCloud) -> None:
    """DDS shows a new job only after some seconds: until then its state is unknown."""
    cloud.switch(job_delay=5)
    night = Night(cloud, instances_of(cloud)[:1])
    (made,) = night.deliveries.deliver_until_it_succeeds()["results"]

    first = night.function.handle({"job_id": made["job_id"]}, night.context)
    night.clock.sleep(6)
    second = night.function.handle({"job_id": made["job_id"]}, night.context)

    assert (first["status"], first["state"]) == ("SUCCEEDED", "UNKNOWN")
    assert second["state"] == "RUNNING"


CALLS = st.sampled_from([{"method": "GET", "path": "/backups$"}, {"path": "/publish$"}, {"path": "/jobs$"}])
RULES = st.builds(
    lambda call, nth, fault: {**call, "nth": nth, **FAULTS[fault]},
    CALLS,
    st.lists(st.integers(min_value=1, max_value=6), min_size=1, max_size=3, unique=True),
    st.sampled_from(sorted(FAULTS.keys() - {"slow success"})),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.lists(RULES, max_size=4),
    missed=st.sampled_from([None, 1, 2]),
    order=st.permutations([1, 2, 3, 1, 2]),
)
def test_every_end_is_announced_under_any_faults(
    cloud: LocalCloud, rules: list[dict[str, Any]], missed: int | None, order: list[int]
) -> None:
    """Any faults at any calls, one tick missed, ticks delivered twice and in any order."""
    cloud.reset()
    night = Night(cloud, instances_of(cloud))
    night.deliveries.deliver_until_it_succeeds()
    cloud.set_faults(rules)
    night.wait_for(night.began + 3 * PERIOD)
    for number in order:
        if number != missed:
            night.tick(number)

    night.assert_every_end_is_announced()


def test_a_region_without_the_newer_filters(local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """Filtered on this side, the answers are the same."""
    cloud = local_cloud_factory(newer_filters=False)
    night = Night(cloud, instances_of(cloud)[:1])
    night.deliveries.event = {"instance_ids": night.deliveries.instances, "idempotency_key": "k"}
    night.deliveries.deliver_until_it_succeeds()

    answer = night.function.handle({"idempotency_key": "k"}, night.context)

    assert [b["instance_id"] for b in answer["answers"][0]["backups"]] == night.deliveries.instances
