"""The claim: after redelivery until success, each instance has exactly one backup, and its job id is published.

It is proven on the local cloud, over HTTP through the official SDK: under each fault at each call, and under any
combination of faults.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud import LocalCloud
from tests.deliveries import CREATE, FAULTS, LIST, PUBLISH, TASKS, Deliveries


CALLS: dict[str, list[dict[str, Any]]] = {
    "the list": [{**LIST, "nth": [1]}],
    "a create": [{**CREATE, "nth": [2]}],
    "a publish": [{**PUBLISH, "nth": [2]}],
    # A redelivery of an event whose create was not answered looks for the job.
    "the task list": [{**CREATE, "nth": [1], **FAULTS["dropped after"]}, {**TASKS, "nth": [1]}],
}
# In a region without a lock, names are not unique, and a backup keeps its instance busy for one second only.
REGIONS: dict[str, dict[str, Any]] = {
    "current": {},
    "names not unique": {"unique_names": False},
    "no lock": {"unique_names": False, "backup_rate": 1e9},
    "no newer filters": {"newer_filters": False},
    "no job id in the answer": {"job_id_in_answer": False},
    "jobs listed late": {"job_delay": 5},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_the_claim_holds_under_each_fault_at_each_call(cloud: LocalCloud, call: str, fault: str) -> None:
    """One call of the first delivery fails, while three workers back up four instances."""
    deliveries = Deliveries.of(cloud, instances=4, workers=3)
    *before, rule = CALLS[call]
    cloud.set_faults([*before, {**rule, **FAULTS[fault]}])

    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()


@pytest.mark.parametrize("region", sorted(REGIONS.keys() - {"current"}))
def test_the_claim_holds_in_each_region(cloud: LocalCloud, region: str) -> None:
    """Older regions lack something; there the creates of five of six instances fail, each in another way."""
    cloud.switch(**REGIONS[region])
    deliveries = Deliveries.of(cloud, instances=6, workers=3)
    faults = ["busy", "dropped before", "dropped after", "truncated", "slow success"]
    # A rule counts the calls that the rules before it let pass.
    cloud.set_faults([{**CREATE, "nth": [1], **FAULTS[fault]} for fault in faults])

    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()


@pytest.mark.parametrize("fault", ["dropped after", "truncated", "garbled", "slow success"])
def test_a_create_whose_answer_is_lost_is_not_repeated(cloud: LocalCloud, fault: str) -> None:
    """DDS would accept a second one: it has no lock, and throttles the second until the first backup is complete."""
    cloud.switch(**REGIONS["no lock"])
    deliveries = Deliveries.of(cloud, instances=1, workers=1)
    cloud.set_faults(
        [{**CREATE, "nth": [1], **FAULTS[fault]}, {**CREATE, "nth": [1], **FAULTS["throttled with a pause"]}]
    )

    deliveries.deliver_until_it_succeeds()

    deliveries.assert_claim()


@pytest.mark.parametrize("region", ["current", "names not unique"])
def test_two_deliveries_at_the_same_time_make_one_backup_of_each_instance(cloud: LocalCloud, region: str) -> None:
    """Two instances of the function race for six instances with three workers each, five times."""
    for _ in range(5):
        cloud.reset()
        cloud.switch(**REGIONS[region])
        deliveries = Deliveries.of(cloud, instances=6, workers=3)

        deliveries.deliver_twice_at_once()
        deliveries.deliver_until_it_succeeds()

        deliveries.assert_claim()


CALL_NUMBERS = st.lists(st.integers(min_value=1, max_value=8), min_size=1, max_size=3, unique=True)
EXTENTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    CALL_NUMBERS.map(lambda numbers: {"nth": numbers}),
    st.integers(min_value=4, max_value=12).map(lambda times: {"times": times}),
    st.just({}),
)
"""Which calls fail: some of them, a number of calls that outlasts the retries, or every call of the delivery."""

RULES = st.builds(
    lambda call, fault, extent: {**call, **FAULTS[fault], **extent},
    st.sampled_from([LIST, CREATE, PUBLISH, TASKS, {}]),
    st.sampled_from(sorted(FAULTS.keys() - {"slow success"})),
    EXTENTS,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    region=st.sampled_from(sorted(REGIONS)),
    rules=st.lists(RULES, max_size=4),
    instances=st.integers(min_value=1, max_value=6),
    workers=st.integers(min_value=1, max_value=3),
    twice_at_once=st.booleans(),
    redeliveries=st.integers(min_value=0, max_value=2),
)
def test_the_claim_holds_under_any_faults(
    cloud: LocalCloud,
    region: str,
    rules: list[dict[str, Any]],
    instances: int,
    workers: int,
    redeliveries: int,
    *,
    twice_at_once: bool,
) -> None:
    """Faults of any extent spoil the first delivery, or two at the same time; success is followed by redeliveries."""
    cloud.reset()
    cloud.switch(**REGIONS[region])
    deliveries = Deliveries.of(cloud, instances=instances, workers=workers)
    cloud.set_faults(rules)

    # Two deliveries at once need a lock: unique names, or backups that keep their instance busy.
    if twice_at_once and region != "no lock":
        deliveries.deliver_twice_at_once()
    else:
        deliveries.deliver()
    cloud.set_faults([rule for rule in rules if rule.keys() & {"nth", "times"}])
    deliveries.deliver_until_it_succeeds()
    cloud.set_faults([])
    for _ in range(redeliveries):
        assert deliveries.deliver()

    deliveries.assert_claim()
