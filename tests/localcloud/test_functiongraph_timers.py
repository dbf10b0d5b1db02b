"""Timers fire by the clock of the local cloud, whether it is moved or runs."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest

from localcloud import LocalCloud
from localcloud.clock import Clock
from localcloud.cloud import Cloud
from localcloud.functiongraph.schemas import NewFunction, NewTrigger
from localcloud.functiongraph.service import FunctionGraph
from localcloud.seed import load_seed
from tests.localcloud.functions import NO_DATEUTIL, async_config, new_function, new_trigger, package, until


pytestmark = NO_DATEUTIL
RATE = {"name": "often", "schedule_type": "Rate", "schedule": "5m", "user_event": "go"}
DAY = 86_400
FLAKY = "def handler(event, context):\n    raise ValueError('no luck')\n"


@pytest.fixture
def timer(functiongraph: Any) -> Callable[..., Any]:
    """Create a function that returns its event, with a timer. Returns the trigger."""

    def make(**data: Any) -> Any:
        source = "def handler(event, context):\n    return event\n"
        urn = functiongraph.create_function(new_function(content=package(source))).func_urn
        return functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **data))

    return make


def fired(cloud: LocalCloud, number: int) -> list[dict[str, Any]]:
    """Wait for this many invocations and return their events, in order of time."""
    until(lambda: len(cloud.invocations()) >= number and cloud.functions()[0]["waiting"] == 0)
    return [one["event"] for one in sorted(cloud.invocations(), key=lambda one: one["event"]["time"])]


def test_a_rate(cloud: LocalCloud, timer: Callable[..., Any]) -> None:
    """A timer fires once for each period that passes, with the documented event."""
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
    """The event contains the due time in the time zone of the expression."""
    timer(name="nightly", schedule_type="Cron", schedule="CRON_TZ=Asia/Shanghai 0 30 2 * * ?")
    cloud.advance(2 * DAY)
    first, second = fired(cloud, 2)

    assert first["time"].endswith("T02:30:00+08:00")
    assert second["time"] > first["time"]
    assert first["user_event"] == ""


def test_a_jump_of_the_clock(cloud: LocalCloud, timer: Callable[..., Any]) -> None:
    """A jump fires a timer at each of its times. Each invocation is over before the next one starts."""
    timer(**RATE)
    answer = cloud.advance(3610)
    runs = cloud.invocations()

    assert answer["timers"] == [{"function": "hello", "timer": "often", "fired": 12, "skipped_from": None}]
    assert answer["unfinished"] == 0
    for run in runs:
        late = datetime.fromisoformat(run["started"][:-1] + "+00:00") - datetime.fromisoformat(run["event"]["time"])
        assert abs(late.total_seconds()) < 60
    assert all(earlier["finished"] <= later["started"] for earlier, later in pairwise(runs))
    assert cloud.clock_offset() == pytest.approx(3610)


def test_a_jump_that_fires_too_often(
    cloud: LocalCloud, timer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A jump that reaches its limit skips what is left and says from when on. It does not come later either."""
    monkeypatch.setattr("localcloud.functiongraph.jump.MAX_TICKS", 3)
    timer(**RATE)
    [runs] = cloud.advance(365 * DAY)["timers"]
    cloud.advance(1)
    times = [datetime.fromisoformat(one["event"]["time"]) for one in cloud.invocations()]

    assert runs["fired"] == len(times) == 3
    assert datetime.fromisoformat(str(runs["skipped_from"])[:-1] + "+00:00") - times[2] == timedelta(minutes=5)


def test_a_jump_that_takes_too_long(
    cloud: LocalCloud, timer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A jump that has no time left skips everything, and the clock arrives all the same."""
    monkeypatch.setattr("localcloud.functiongraph.jump.MAX_JUMP_TIME", 0.0)
    timer(**RATE)
    answer = cloud.advance(DAY)

    assert [(runs["fired"], runs["skipped_from"] is None) for runs in answer["timers"]] == [(0, False)]
    assert cloud.clock_offset() == pytest.approx(DAY)
    assert cloud.invocations() == []


def test_what_a_timer_causes_comes_before_the_next(cloud: LocalCloud, functiongraph: Any) -> None:
    """A retry runs at its time, and a function that a message invokes has finished before the next timer fires."""
    topic = cloud.connection()["topic_urn"]
    urn = functiongraph.create_function(new_function("flaky", package(FLAKY))).func_urn
    functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **RATE))
    config = async_config(urn, retries=1, on_failure=("SMN", {"topic_urn": topic}))
    functiongraph.update_function_async_invoke_config(config)
    listener = functiongraph.create_function(new_function("listener")).func_urn
    functiongraph.create_function_trigger(new_trigger(listener, "SMN", topic_urn=topic))
    cloud.advance(700)

    assert [one["function_urn"].split(":")[-2] for one in cloud.invocations()] == ["flaky", "flaky", "listener"] * 2


def test_a_function_sees_the_clock(cloud: LocalCloud, functiongraph: Any) -> None:
    """The context of a warm instance has the cloud's time of each invocation. `time.time` stays the machine's."""
    source = """
        import time
        def handler(event, context):
            return [context.simulated_time(), time.time()]
        """
    urn = functiongraph.create_function(new_function(content=package(source))).func_urn
    functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **RATE))
    began = datetime.now(timezone.utc).timestamp()
    cloud.advance(610)
    runs = cloud.invocations()

    assert [run["report"]["cold_start"] for run in runs] == [True, False]
    for run in runs:
        simulated, machine = run["result"]
        due = datetime.fromisoformat(run["event"]["time"]).timestamp()
        assert simulated - due == pytest.approx(0, abs=30)
        assert machine - began == pytest.approx(0, abs=60)


def test_a_reset_ends_a_jump(cloud: LocalCloud, functiongraph: Any) -> None:
    """A reset during a jump kills the functions, and the clock goes back and stays there."""
    source = "import time\ndef handler(event, context):\n    time.sleep(60)\n"
    urn = functiongraph.create_function(new_function(content=package(source), timeout=70)).func_urn
    functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **RATE))
    with ThreadPoolExecutor(1) as threads:
        jump = threads.submit(cloud.advance, DAY)
        until(lambda: cloud.functions()[0]["instances"] == 1)
        cloud.reset()
        answer = jump.result(timeout=30)

    assert answer["offset"] == cloud.clock_offset() == 0


def test_a_running_clock(cloud: LocalCloud, timer: Callable[..., Any]) -> None:
    """Timers also fire without moving the clock."""
    timer(name="ticking", schedule_type="Cron", schedule="@every 1s")

    assert fired(cloud, 1)


def test_a_disabled_timer(cloud: LocalCloud, functiongraph: Any, timer: Callable[..., Any]) -> None:
    """A disabled timer does not fire. When enabled, it counts from then."""
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


def test_a_timer_after_a_restart(tmp_path: Path) -> None:
    """After a restart a timer fires again, but not for times at which no server ran."""
    now = [1_700_000_000.0]

    def start() -> Cloud:
        return Cloud(load_seed(), {}, tmp_path / "state.db", Clock(wall=lambda: now[0]))

    before = start()
    asyncio.run(before.advance(10 * DAY))
    function = before.functiongraph.functions.create(
        NewFunction(
            func_name="hello",
            package="default",
            runtime="Python3.10",
            handler="index.handler",
            timeout=3,
            memory_size=128,
            code_type="zip",
            code_filename="hello.zip",
        )
    )
    before.functiongraph.triggers.create(function, NewTrigger(trigger_type_code="TIMER", event_data=RATE))
    before.close()

    async def run(after: FunctionGraph) -> list[int]:
        serving = asyncio.create_task(after.run("http://127.0.0.1:1"))
        waiting = []
        for seconds in (0, 290, 10):
            now[0] += seconds
            await asyncio.sleep(0)
            after.do_due_work()
            waiting.append(len(after.state.async_events))
        serving.cancel()
        return waiting

    now[0] += 3600
    cloud = start()
    assert asyncio.run(run(cloud.functiongraph)) == [0, 0, 1]
    cloud.close()


def test_timers_of_several_functions(cloud: LocalCloud, functiongraph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers of several functions fire in order of time, not of creation."""
    monkeypatch.setattr("localcloud.functiongraph.async_invocations.MAX_DELIVERIES", 1)
    for name, hour in (("late", 9), ("early", 1), ("noon", 12)):
        urn = functiongraph.create_function(new_function(name)).func_urn
        trigger = {"name": name, "schedule_type": "Cron", "schedule": f"0 0 {hour} * * ?"}
        functiongraph.create_function_trigger(new_trigger(urn, "TIMER", **trigger))
    cloud.advance(DAY)
    times = [one["event"]["time"] for one in cloud.invocations()]

    assert times == sorted(times)
