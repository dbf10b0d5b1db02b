"""The claim: after redelivery until it succeeds, each instance has exactly one backup, its job id published.

Under each fault at each call, over real HTTP through the real SDK; and under what hypothesis can think of.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from shared.bootstrap import create_backup
from tests.deliveries import READ_TIMEOUT, Deliveries


CALLS: dict[str, dict[str, Any]] = {
    "the list": {"method": "GET", "path": "/backups$", "nth": [1]},
    "the first create": {"method": "POST", "path": "/backups$", "nth": [1]},
    "the second create": {"method": "POST", "path": "/backups$", "nth": [2]},
    "the first publish": {"path": "/publish$", "nth": [1]},
    "the second publish": {"path": "/publish$", "nth": [2]},
}
ALL_OF: dict[str, dict[str, Any]] = {
    "all lists for a while": {"method": "GET", "path": "/backups$", "times": 7},
    "all creates for a while": {"method": "POST", "path": "/backups$", "times": 7},
    "all publishes for a while": {"path": "/publish$", "times": 11},
    "everything for a while": {"times": 12},
}


def answer(status: int, code: str, **more: Any) -> dict[str, Any]:
    # Both spellings, so that one fault serves DDS and SMN alike.
    body = {"error_code": code, "error_msg": "fault", "code": code, "message": "fault", "request_id": "r"}
    return {"answer": {"status": status, "body": body, **more}}


FAULTS: dict[str, dict[str, Any]] = {
    "busy": answer(403, "DBS.200019"),
    "system busy": answer(400, "DBS.200998"),
    "throttled": answer(429, "APIGW.0308"),
    "throttled with a pause": answer(429, "DBS.280443", headers={"Retry-After": "3"}),
    "internal error": answer(500, "DBS.280005"),
    "gateway timeout": answer(504, "APIGW.0201"),
    "bad gateway in html": {"answer": {"status": 502, "body": "<html>Bad Gateway</html>"}},
    "unavailable": answer(503, "APIGW.0613"),
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "truncated": {"truncate": 20},
    "garbled": {"garble": True},
    "redirected": {"answer": {"status": 302, "body": "", "headers": {"Location": "http://127.0.0.1:9/"}}},
    "empty 202": {"answer": {"status": 202, "body": ""}},
    "slow success": {"delay": READ_TIMEOUT * 1.5},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_the_claim_holds_under_each_fault_at_each_call(cloud: LocalCloud, call: str, fault: str) -> None:
    """One fault, at one call of the first delivery."""
    deliveries = Deliveries(cloud, cloud.connection()["instance_ids"][:2])
    cloud.set_faults([{**CALLS[call], **FAULTS[fault]}])

    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"slow success"}))
@pytest.mark.parametrize("call", ALL_OF)
def test_the_claim_holds_under_faults_that_last(cloud: LocalCloud, call: str, fault: str) -> None:
    """Longer than one invocation is ready to try."""
    deliveries = Deliveries(cloud, cloud.connection()["instance_ids"][:2])
    cloud.set_faults([{**ALL_OF[call], **FAULTS[fault]}])

    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_claim_holds_when_the_task_list_fails_too(cloud: LocalCloud, fault: str) -> None:
    """The create's answer is lost, and so is the first look for its job."""
    deliveries = Deliveries(cloud, cloud.connection()["instance_ids"][:1])
    cloud.set_faults(
        [
            {**CALLS["the first create"], "drop": "after"},
            {"method": "GET", "path": "/jobs$", "nth": [1], **FAULTS[fault]},
        ]
    )

    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()


REGIONS: dict[str, dict[str, Any]] = {
    "names not unique": {"unique_names": False},
    "names not unique, backups over at once": {"unique_names": False, "backup_rate": 1e9},
    "no newer filters": {"newer_filters": False},
    "no job id in the answer": {"job_id_in_answer": False},
    "jobs visible late": {"job_delay": 5},
}


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("fault", ["busy", "dropped before", "dropped after", "truncated", "slow success"])
def test_the_claim_holds_in_regions_that_lack_something(
    local_cloud_factory: Callable[..., LocalCloud], region: str, fault: str
) -> None:
    """Regions differ; the claim does not."""
    cloud = local_cloud_factory(**REGIONS[region])
    deliveries = Deliveries(cloud, cloud.connection()["instance_ids"][:2])
    cloud.set_faults([{**CALLS["the first create"], **FAULTS[fault]}])

    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()


@pytest.mark.parametrize("region", ["names unique", "names not unique"])
def test_two_deliveries_in_flight_make_one_backup(local_cloud_factory: Callable[..., LocalCloud], region: str) -> None:
    """Two instances of the function at the same time, each in its own thread, ten times over."""
    cloud = local_cloud_factory(unique_names=region == "names unique")
    for _ in range(10):
        cloud.reset()
        deliveries = Deliveries(cloud, cloud.connection()["instance_ids"][:2])
        deliveries.deliver(0)  # both instances are built
        deliveries.functions[1] = create_backup(clock=deliveries.clock, environment={})
        cloud.reset()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(deliveries.deliver, (0, 1)))

        deliveries.deliver_until_it_succeeds()

        deliveries.assert_claim()


FAULT_RULES = st.builds(
    lambda call, nth, fault: {**call, "nth": nth, **FAULTS[fault]},
    st.sampled_from(
        [
            {"method": "GET", "path": "/backups$"},
            {"method": "POST", "path": "/backups$"},
            {"path": "/publish$"},
            {"path": "/jobs$"},
        ]
    ),
    st.lists(st.integers(min_value=1, max_value=6), min_size=1, max_size=3, unique=True),
    st.sampled_from(sorted(FAULTS.keys() - {"slow success"})),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(FAULT_RULES, max_size=5), st.integers(min_value=1, max_value=3), st.integers(min_value=0, max_value=2))
def test_the_claim_holds_under_any_faults(
    cloud: LocalCloud, rules: list[dict[str, Any]], instances: int, again: int
) -> None:
    """Any faults at any calls, and the event delivered again after it succeeded."""
    cloud.reset()
    deliveries = Deliveries(cloud, cloud.connection()["instance_ids"][:instances])
    cloud.set_faults(rules)

    deliveries.deliver_until_it_succeeds()
    cloud.set_faults([])
    for _ in range(again):
        assert deliveries.deliver()

    deliveries.assert_claim()
