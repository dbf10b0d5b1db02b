"""A service that is down for a whole delivery, with more instances than workers."""

import json
from collections.abc import Callable

import pytest

from localcloud import LocalCloud
from shared.errors import AmbiguousError, CloudError, ThrottledError, TransientError, UnfinishedEventError
from tests.bench import outages
from tests.create.platform import Platform
from tests.deliveries import CREATE, FAULTS, LIST, PUBLISH, TASKS, Deliveries
from tests.fakes import START, FakeClock, Outage
from tests.triggers import documented as doc


SIZE = 12
READ_TIMEOUT = 10.0  # seconds, the default of the setting
IDS = [f"{number:032x}in02" for number in range(1, SIZE + 1)]
EVENT = doc.smn(doc.smn_record(json.dumps({"instance_ids": IDS})))


def unanswered(call: str) -> CloudError:
    """Return the error of a call that the service may have carried out."""
    return AmbiguousError("no answer") if call in {"create", "publish"} else TransientError("no answer")


# The seconds that a call takes, and the error that it ends in.
OUTAGES: dict[str, tuple[float, Callable[[str], CloudError]]] = {
    "hangs": (READ_TIMEOUT, unanswered),
    "answers 503": (0.1, unanswered),
    "answers 429": (0.1, lambda _: ThrottledError("429")),
    "refuses connections": (0.0, lambda _: TransientError("connection refused")),
}


def make_outage(kind: str, clock: FakeClock) -> Outage:
    """Return what happens to every call of a service."""
    seconds, error_of = OUTAGES[kind]

    def fail(call: str) -> None:
        clock.sleep(seconds)
        raise error_of(call)

    return fail


def platform_for(workers: int = 3) -> Platform:
    return Platform(SIZE, MAX_CONCURRENCY=str(workers))


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_of_smn_delays_no_backup(outage: str) -> None:
    """Every backup begins before time is spent on notifications."""
    platform = platform_for()
    platform.topic.outage = make_outage(outage, platform.clock)

    with pytest.raises(UnfinishedEventError):
        platform.deliver(EVENT)

    assert [backup.begin_time for backup in platform.dds.backups] == [START] * SIZE


def test_an_outage_of_smn_during_all_deliveries_costs_no_backup() -> None:
    """SMN hangs for the event's first delivery and all three redeliveries."""
    platform = Platform(size := 50, MAX_CONCURRENCY="3")
    platform.topic.outage = make_outage("hangs", platform.clock)
    event = doc.smn(doc.smn_record(json.dumps({"instance_ids": platform.ids})))

    for _ in range(4):
        with pytest.raises(UnfinishedEventError):
            platform.deliver(event)

    assert len(platform.dds.backups) == size


def test_rejected_messages_delay_no_backup() -> None:
    """Four invalid messages and a valid one share an event, while SMN hangs."""
    platform = platform_for(workers=1)
    platform.topic.outage = make_outage("hangs", platform.clock)
    records = [doc.smn_record("Hello", f"m{number}") for number in range(4)]

    with pytest.raises(UnfinishedEventError):
        platform.deliver(doc.smn(*records, *EVENT["record"]))

    assert [backup.begin_time for backup in platform.dds.backups] == [START] * SIZE


@pytest.mark.parametrize("services", ["DDS", "SMN", "DDS and SMN"])
@pytest.mark.parametrize("outage", OUTAGES)
def test_a_redelivery_after_an_outage_finishes_the_event(services: str, outage: str) -> None:
    """No outcome that the outage led to is final."""
    platform = platform_for()
    fail = make_outage(outage, platform.clock)
    platform.dds.outage = fail if "DDS" in services else None
    platform.topic.outage = fail if "SMN" in services else None

    with pytest.raises(UnfinishedEventError):
        platform.deliver(EVENT)
    platform.dds.outage = platform.topic.outage = None
    platform.clock.sleep(60)
    report = platform.deliver(EVENT)

    assert report["status"] == "SUCCEEDED"
    platform.assert_each_instance_has_one_backup()
    published = {json.loads(note.body)["data"]["job_id"] for note in platform.topic.sent}
    assert {result["job_id"] for result in report["results"]} <= published


@pytest.mark.slow
@pytest.mark.parametrize("instances", [50, 200])
@pytest.mark.parametrize("kind", outages.OUTAGES)
def test_the_table_of_outages_is_true(kind: str, instances: int) -> None:
    """The first delivery makes all backups, and the first with a healthy SMN announces all."""
    found = outages.deliver(kind, instances)

    assert (found.made, found.announced) == (instances, instances)
    assert found.took < 300


@pytest.mark.slow
def test_an_smn_that_hangs_costs_no_backup_on_the_local_cloud(cloud: LocalCloud) -> None:
    """An invocation of 20 seconds has time for the five tries to publish of two instances."""
    deliveries = Deliveries.of(cloud, instances=6, workers=1)
    deliveries.context.remaining = 20.0
    cloud.set_faults([{**PUBLISH, "delay": 60}])

    assert deliveries.deliver() is None

    assert sorted(backup["instance_id"] for backup in deliveries.backups()) == sorted(deliveries.instances)


@pytest.mark.parametrize("fault", ["unavailable", "throttled", "dropped before"])
@pytest.mark.parametrize("service", ["DDS", "SMN"])
def test_the_claim_holds_after_an_outage(cloud: LocalCloud, service: str, fault: str) -> None:
    """The local cloud answers no call of the service during the first delivery."""
    deliveries = Deliveries.of(cloud, instances=6, workers=3)
    calls = [LIST, CREATE, TASKS] if service == "DDS" else [PUBLISH]
    cloud.set_faults([{**call, **FAULTS[fault]} for call in calls])

    assert deliveries.deliver() is None
    cloud.set_faults([])
    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()
