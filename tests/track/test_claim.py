"""The claim: every end is announced, under one id that announces nothing else, whatever becomes of the ticks.

Whole functions on fakes; ticks are missed as far as the lookback allows, delivered twice and in any order, invocations
are killed, and the list and the topic fail at any call, the event being delivered again until it succeeds.
"""

import json
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bootstrap import track_backups
from shared.errors import AmbiguousError, ThrottledError, TransientError, UnfinishedEventError
from tests.fakes import INSTANCES, START, FakeCloud, FakeContext, FakeTopic, fake_connect
from tests.track.history import History, Life
from tests.triggers import documented as doc


URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"
PERIOD, DELAY, STUCK = 300, 60, 3600
TICKS = 30


class KilledError(Exception):
    """The invocation ends here, whatever it was doing."""


def kill() -> None:
    raise KilledError


@dataclass(frozen=True)
class Delivery:
    """A tick and how many seconds after its time it arrives."""

    tick: int
    late: int

    @property
    def time(self) -> float:
        return self.tick * PERIOD

    def event(self) -> dict[str, Any]:
        due = START + timedelta(seconds=self.time)
        return doc.timer("", time=due.isoformat(), trigger_name="EveryFiveMinutes")


def make_lives(drawn: list[tuple[int, int, bool, int, bool]]) -> list[Life]:
    return [
        Life(f"b-{n}", INSTANCES[n % 9], START + timedelta(seconds=begin), duration, good, lag, tells_end)
        for n, (begin, duration, good, lag, tells_end) in enumerate(drawn)
    ]


LIVES = st.lists(
    st.tuples(
        st.integers(min_value=-2000, max_value=TICKS * PERIOD),
        st.one_of(st.integers(min_value=1, max_value=900), st.integers(min_value=1, max_value=9000)),
        st.booleans(),
        st.integers(min_value=0, max_value=DELAY),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=8,
).map(make_lives)
LATE = st.one_of(st.integers(min_value=0, max_value=30), st.integers(min_value=0, max_value=3000))
FAULTS = st.lists(
    st.sampled_from(
        [
            None,
            None,
            TransientError("503"),
            AmbiguousError("cut"),
            ThrottledError("429", retry_after=400),
            KilledError(),
        ]
    ),
    max_size=12,
)


def play(lives: list[Life], deliveries: list[Delivery], lookback: int, topic: FakeTopic, faults: list[Any]) -> None:
    """Deliver the ticks in the order of their arrival, each again until the function is content."""
    dds = History(lives=lives, list_faults=faults)
    clock = dds.clock
    names = {"TRACK_LOOKBACK": str(lookback), "STUCK_AFTER": "1h", "TRACK_DELAY": "60s", "TRACK_PERIOD": "5m"}
    context = FakeContext({"NOTIFY_TOPIC_URN": URN, "MAX_CONCURRENCY": "2", **names})
    function = track_backups(connect=fake_connect(FakeCloud(dds, topic)), clock=clock, environment={})
    for delivery in sorted(deliveries, key=lambda d: d.time + d.late):
        clock.seconds = max(clock.seconds, delivery.time + delivery.late)
        for attempt in range(40):
            context.request_id = f"{delivery}-{attempt}"
            try:
                function.handle(delivery.event(), context)
            except (UnfinishedEventError, KilledError):
                clock.seconds += 60
            else:
                break
        else:
            raise AssertionError("never content")


def announced(topic: FakeTopic) -> dict[str, list[dict[str, Any]]]:
    """What was published, by CloudEvents id, without what tells one invocation from another."""
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for notification in topic.sent:
        event = json.loads(notification.body)
        del event["data"]["request_id"]
        events[event["id"]].append(event)
    return events


@settings(max_examples=80, deadline=None)
@given(
    data=st.data(), lives=LIVES, lookback=st.integers(min_value=0, max_value=2), publish_faults=FAULTS, faults=FAULTS
)
def test_every_end_is_announced_and_no_id_says_two_things(
    data: st.DataObject, lives: list[Life], lookback: int, publish_faults: list[Any], faults: list[Any]
) -> None:
    """See the top."""
    missed: set[int] = set()
    for tick, may_be_missed in enumerate(data.draw(st.lists(st.booleans(), min_size=TICKS, max_size=TICKS))):
        before = next(n for n in range(TICKS + 1) if tick - n - 1 not in missed)
        if may_be_missed and before < lookback and tick:
            missed.add(tick)
    times = data.draw(st.lists(st.integers(min_value=1, max_value=2), min_size=TICKS + 1, max_size=TICKS + 1))
    deliveries = [
        Delivery(tick, data.draw(LATE)) for tick in range(TICKS + 1) if tick not in missed for _ in range(times[tick])
    ]
    topic = FakeTopic(faults=list(publish_faults))
    play(lives, deliveries, lookback, topic, [kill if isinstance(fault, KilledError) else fault for fault in faults])

    events = announced(topic)
    first, last = START - timedelta(seconds=DELAY + PERIOD), START + timedelta(seconds=TICKS * PERIOD - DELAY)
    said = defaultdict(set)
    for event_id, versions in events.items():
        said[versions[0]["type"], versions[0]["data"]["backup_id"]].add(event_id)
        for version in versions:
            if next(life for life in lives if life.id == version["data"]["backup_id"]).tells_end:
                assert version == versions[0]
            else:
                assert version["data"] == versions[0]["data"]
    assert all(len(ids) == 1 for ids in said.values())
    assert sum(map(len, said.values())) == len(events)
    kinds = {True: "dds.backup.completed", False: "dds.backup.failed"}
    for life in lives:
        end = (kinds[life.good], life.id)
        assert (kinds[not life.good], life.id) not in said
        if life.tells_end and first < life.end <= last:
            assert end in said
        if not life.tells_end and life.begin + 2 * (life.visible - life.begin) + 4 * timedelta(seconds=PERIOD) < last:
            assert life.begin < first or end in said
        if ("dds.backup.stuck", life.id) in said:
            assert life.duration > STUCK or not life.tells_end


def test_a_tick_missed_beyond_the_lookback_is_made_up_for_on_demand() -> None:
    """Two ticks in a row are missed: the span that somebody asks for has the same event in it."""
    life = Life("b-1", INSTANCES[0], START, 500)
    topic = FakeTopic()
    play([life], [Delivery(tick, 0) for tick in (0, 1, 4, 5)], 1, topic, [])
    assert not topic.sent
    play([life], [Delivery(tick, 0) for tick in (0, 1, 2, 3)], 1, topic, [])
    (in_time,) = announced(topic)

    dds = History(lives=[life])
    dds.clock.seconds = 9000
    again = FakeTopic()
    function = track_backups(connect=fake_connect(FakeCloud(dds, again)), clock=dds.clock, environment={})
    report = function.handle({"since": START.isoformat()}, FakeContext({"NOTIFY_TOPIC_URN": URN}))

    assert report["status"] == "SUCCEEDED"
    assert list(announced(again)) == [in_time]
    assert again.sent[0].attributes["announcement"] == "again"


def test_a_delivery_that_runs_out_of_time_is_followed_by_one_that_gets_further() -> None:
    """A throttled topic takes a few notifications an invocation: not always the same few."""
    lives = [Life(f"b-{n}", INSTANCES[0], START - timedelta(seconds=200), n) for n in range(1, 100)]
    dds, topic = History(lives=lives), FakeTopic()
    context = FakeContext({"NOTIFY_TOPIC_URN": URN, "MAX_CONCURRENCY": "1"}, remaining=20)
    function = track_backups(
        connect=fake_connect(FakeCloud(dds, topic)), clock=dds.clock, rng=random.Random(1), environment={}
    )
    dds.clock.seconds = PERIOD
    for _ in range(60):
        topic.faults = [*[None] * 12, *[ThrottledError("429", retry_after=500)] * 500]
        with suppress(UnfinishedEventError):
            function.handle(Delivery(1, 0).event(), context)

    assert len(topic.sent) <= 60 * 12
    assert {json.loads(sent.body)["data"]["backup_id"] for sent in topic.sent} == {life.id for life in lives}
