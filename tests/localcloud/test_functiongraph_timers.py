"""Timers fire by the clock of the local cloud, whether it is moved or simply goes on."""

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest

from localcloud import LocalCloud
from tests.localcloud.functions import NO_DATEUTIL, new_function, new_trigger, package, until
from tests.localcloud.sdk import build


pytestmark = NO_DATEUTIL
RATE = {"name": "often", "schedule_type": "Rate", "schedule": "5m", "user_event": "go"}
DAY = 86_400


@pytest.fixture
def timer(functiongraph: Any) -> Callable[..., Any]:
    """Create a function with a timer that returns the event; returns the trigger."""

    def make(**data: Any) -> Any:
        source = "def handler(event, context):\n    return event\n"
        urn = functiongraph.create_function(new_function(content=package(source))).func_urn
        return functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **data))

    return make


def fired(cloud: LocalCloud, number: int) -> list[dict[str, Any]]:
    """The events, as soon as there are so many and no more are on their way."""
    until(lambda: len(cloud.invocations()) >= number and cloud.functions()[0]["waiting"] == 0)
    return [one["event"] for one in sorted(cloud.invocations(), key=lambda one: one["event"]["time"])]


def test_a_rate(cloud: LocalCloud, timer: Callable[..., Any]) -> None:
    """It fires for each period that the clock passes, with the documented event, and never twice for one."""
    timer(**RATE)
    cloud.advance(290)
    assert cloud.invocations() == []
    cloud.advance(20)
    [first] = fired(cloud, 1)
    cloud.advance(600)
    times = [datetime.fromisoformat(event["time"]) for event in fired(cloud, 3)]

    assert {name: value for name, value in first.items() if name != "time"} == {
        "version": "v1.0",
        "trigger_type": "TIMER",
        "trigger_name": "often",
        "user_event": "go",
    }
    assert [(later - earlier).seconds for earlier, later in pairwise(times)] == [300, 300]
    assert cloud.invocations()[0]["source"] == "TIMER"


def test_a_cron_expression(cloud: LocalCloud, timer: Callable[..., Any]) -> None:
    """The event says when it was due, in the time zone of the expression."""
    timer(name="nightly", schedule_type="Cron", schedule="CRON_TZ=Asia/Shanghai 0 30 2 * * ?")
    cloud.advance(2 * DAY)
    first, second = fired(cloud, 2)

    assert first["time"].endswith("T02:30:00+08:00")
    assert second["time"] > first["time"]
    assert first["user_event"] == ""


def test_a_long_jump(cloud: LocalCloud, timer: Callable[..., Any]) -> None:
    """When a year is skipped, the last ten of the moments in it are made up for."""
    timer(**RATE)
    cloud.advance(365 * DAY)
    times = [datetime.fromisoformat(event["time"]) for event in fired(cloud, 10)]
    cloud.advance(1)

    assert len(fired(cloud, 10)) == 10
    assert (times[-1] - times[0]).seconds == 9 * 300


def test_real_time_passes_too(cloud: LocalCloud, timer: Callable[..., Any]) -> None:
    """Nobody has to move the clock."""
    timer(name="ticking", schedule_type="Cron", schedule="@every 1s")

    assert fired(cloud, 1)


def test_a_disabled_timer(cloud: LocalCloud, functiongraph: Any, timer: Callable[..., Any]) -> None:
    """It does not fire, and when it is turned on it counts from then: what was missed is not made up for."""
    trigger = timer(**RATE)
    urn = cloud.functions()[0]["func_urn"]

    def turn(status: str) -> None:
        body = sdk.UpdateTriggerRequestBody(trigger_status=status)
        functiongraph.update_trigger(
            sdk.UpdateTriggerRequest(
                function_urn=urn, trigger_type_code="TIMER", trigger_id=trigger.trigger_id, body=body
            )
        )

    turn("DISABLED")
    cloud.advance(1000)
    turn("ACTIVE")
    cloud.advance(290)
    assert cloud.invocations() == []
    cloud.advance(20)
    assert len(fired(cloud, 1)) == 1


def test_a_timer_after_a_restart(tmp_path: Any, local_cloud_factory: Callable[..., LocalCloud]) -> None:
    """It goes on, and what was due while no server ran is not made up for."""
    with LocalCloud(state_file=tmp_path / "state.db") as before:
        client = build(sdk.FunctionGraphClient, before)
        urn = client.create_function(new_function()).func_urn
        before.advance(10 * DAY)
        client.create_function_trigger(new_trigger(urn, "TIMER", **RATE))
        before.advance(200)
    after = local_cloud_factory(state_file=tmp_path / "state.db")
    assert after.invocations() == []
    after.advance(200)

    assert len(fired(after, 1)) == 1


def test_timers_of_several_functions(cloud: LocalCloud, functiongraph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due at several moments is begun in the order of time, whoever was created first."""
    monkeypatch.setattr("localcloud.functiongraph.events.AT_A_TIME", 1)
    for name, hour in (("late", 9), ("early", 1), ("noon", 12)):
        urn = functiongraph.create_function(new_function(name)).func_urn
        trigger = {"name": name, "schedule_type": "Cron", "schedule": f"0 0 {hour} * * ?"}
        functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **trigger))
    cloud.advance(DAY)
    until(lambda: len(cloud.invocations()) == 3)
    times = [one["event"]["time"] for one in cloud.invocations()]

    assert times == sorted(times)
