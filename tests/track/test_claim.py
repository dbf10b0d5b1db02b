"""The claim of track_backups on the local cloud: every end is published, under any faults.

create_backup makes the backups and track_backups follows them, both through the real SDK. Only the time is not real.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from shared.bootstrap import Function, track_backups
from shared.errors import UnfinishedEventError
from shared.track.function import TrackBackupsSettings
from tests.deliveries import FAULTS, Deliveries
from tests.fakes import Steady
from tests.triggers import documented as doc


PERIOD = timedelta(minutes=5)


class Night:
    """Backups by create_backup, and the timer events of track_backups, on the local cloud."""

    def __init__(self, cloud: LocalCloud, instances: Iterable[str]) -> None:
        self.cloud = cloud
        self.deliveries = Deliveries(cloud, list(instances), READ_TIMEOUT="20")
        self.clock, self.context = self.deliveries.clock, self.deliveries.context
        self.began = self.clock.now()
        self.function: Function[TrackBackupsSettings] = track_backups(clock=self.clock, rng=Steady(), environment={})

    def wait_for(self, time: datetime) -> None:
        """Move the clocks forward."""
        self.clock.sleep(max(0.0, (time - self.clock.now()).total_seconds()))

    def deliver_timer_event(self, number: int, most: int = 12) -> None:
        """Deliver a timer event until the function raises nothing."""
        due = self.began + number * PERIOD
        self.wait_for(due)
        for _ in range(most):
            try:
                self.function.handle(doc.timer("", time=due.isoformat()), self.context)
            except UnfinishedEventError:
                self.clock.sleep(20)
            else:
                return
        raise AssertionError(f"not done after {most} deliveries")

    def ask(self, **question: str) -> dict[str, Any]:
        """Ask a question. Returns the report."""
        report: dict[str, Any] = self.function.handle(question, self.context)
        return report

    def published_ends(self) -> dict[str, list[dict[str, Any]]]:
        """Return the CloudEvents about ends by id, without the request ids."""
        events = [json.loads(message["message"]) for message in self.cloud.messages()]
        found: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            if event["type"] in {"dds.backup.completed", "dds.backup.failed", "dds.backup.stuck"}:
                del event["data"]["request_id"]
                found.setdefault(event["id"], []).append(event)
        return found

    def assert_every_end_is_published(self) -> None:
        """The end of each backup is published under one id that means nothing else.

        Job id and reason come from the task list and are missing where that list failed.
        """
        ends = {}
        for versions in self.published_ends().values():
            added = {"job_id": 0, "message": 0}
            assert all({**v["data"], **added} == {**versions[0]["data"], **added} for v in versions)
            ends[versions[0]["data"]["backup_id"]] = versions[0]["type"]
        assert len(ends) == len(self.published_ends())
        assert ends == {backup["id"]: f"dds.backup.{backup['status'].lower()}" for backup in self.deliveries.backups()}


def choose_instances(cloud: LocalCloud) -> list[str]:
    """Return two instances whose backups complete and the one whose backups fail."""
    archive = next(i["id"] for i in cloud.state()["instances"] if i["name"] == "archive")
    return [*cloud.connection()["instance_ids"][:2], archive]


def test_the_ends_of_a_night_are_published_with_their_facts(cloud: LocalCloud) -> None:
    """Size, duration, reason and job come from DDS."""
    night = Night(cloud, choose_instances(cloud))
    night.deliveries.deliver_until_it_succeeds()
    for number in range(1, 4):
        night.deliver_timer_event(number)

    night.assert_every_end_is_published()
    by_instance = {versions[0]["subject"]: versions[0]["data"] for versions in night.published_ends().values()}
    backups = {backup["instance_id"]: backup for backup in night.deliveries.backups()}
    for instance, data in by_instance.items():
        assert data["job_id"] == backups[instance]["job_id"]
        assert data["duration"] is not None
    orders, _, archive = (by_instance[instance] for instance in night.deliveries.instances)
    assert (orders["size"], archive["message"]) == (4 * 1024**2, "The backup could not be uploaded to OBS.")


def test_questions_are_answered_during_and_after_a_backup(cloud: LocalCloud) -> None:
    """They name the job, the backup, or the key that the caller gave to create_backup."""
    night = Night(cloud, choose_instances(cloud)[:2])
    night.deliveries.event = {"instance_ids": night.deliveries.instances, "idempotency_key": "release-42"}
    made = night.deliveries.deliver_until_it_succeeds()["results"][0]
    questions = [{name: made[name]} for name in ("job_id", "backup_id")] + [{"idempotency_key": "release-42"}]

    for question in questions:
        report = night.ask(**question)
        running = next(b for b in report["answers"][0]["backups"] if b["instance_id"] == made["instance_id"])
        assert report["state"] == "RUNNING"
        assert (running["backup_id"], running["job_id"]) == (made["backup_id"], made["job_id"])
        assert running["progress"].endswith("%")
    night.clock.sleep(600)
    for question in questions:
        assert night.ask(**question)["state"] == "COMPLETED"
    assert len(night.ask(idempotency_key="release-42")["answers"][0]["backups"]) == 2
    assert night.ask(job_id="no-such-job")["state"] == "UNKNOWN"
    assert night.ask(backup_id="f" * 32 + "br02")["state"] == "UNKNOWN"


def test_a_job_that_dds_does_not_show_yet_is_unknown(cloud: LocalCloud) -> None:
    """DDS shows a new job after some seconds."""
    cloud.switch(job_delay=30)
    night = Night(cloud, choose_instances(cloud)[:1])
    (made,) = night.deliveries.deliver_until_it_succeeds()["results"]

    first = night.ask(job_id=made["job_id"])
    night.clock.sleep(31)

    assert (first["status"], first["state"]) == ("SUCCEEDED", "UNKNOWN")
    assert night.ask(job_id=made["job_id"])["state"] == "RUNNING"


def test_a_region_without_the_newer_filters_gives_the_same_answers(cloud: LocalCloud) -> None:
    """The function filters the list itself."""
    cloud.switch(newer_filters=False)
    night = Night(cloud, choose_instances(cloud)[:1])
    night.deliveries.event = {"instance_ids": night.deliveries.instances, "idempotency_key": "k"}
    night.deliveries.deliver_until_it_succeeds()

    report = night.ask(idempotency_key="k")

    assert [b["instance_id"] for b in report["answers"][0]["backups"]] == night.deliveries.instances


CALLS = st.sampled_from([{"method": "GET", "path": "/backups$"}, {"path": "/publish$"}, {"path": "/jobs$"}])
RULES = st.builds(
    lambda call, nth, fault: {**call, "nth": nth, **FAULTS[fault]},
    CALLS,
    st.lists(st.integers(min_value=1, max_value=6), min_size=1, max_size=3, unique=True),
    st.sampled_from(sorted(FAULTS.keys() - {"slow success"})),
)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.lists(RULES, max_size=4),
    missed=st.sampled_from([None, 1, 2]),
    order=st.permutations([1, 2, 3, 1, 2]),
)
def test_the_claim_holds_under_any_faults(
    cloud: LocalCloud, rules: list[dict[str, Any]], missed: int | None, order: list[int]
) -> None:
    """One timer event is missed, and the others are delivered twice and in any order."""
    cloud.reset()
    night = Night(cloud, choose_instances(cloud))
    night.deliveries.deliver_until_it_succeeds()
    cloud.set_faults(rules)
    night.wait_for(night.began + 3 * PERIOD)
    for number in order:
        if number != missed:
            night.deliver_timer_event(number)

    night.assert_every_end_is_published()
