"""Following backups: every end is published, under one id, whatever happens to the timer events."""

import json
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import AmbiguousError, CloudError, DeniedError, InvalidError, ThrottledError, TransientError
from shared.jobs import JobFinder
from shared.model import BackupJob
from shared.notify import Notifier, Sender
from shared.report import Status
from shared.track.follow import Follower
from shared.track.report import Followed
from shared.track.window import OccurrenceRules, Schedule, Window
from tests.fakes import INSTANCES, START, A, FakeJobs, FakeTopic, ids_of, make_retrying
from tests.system.killable import Killed
from tests.track.history import Course, History


PERIOD, DELAY, STUCK = timedelta(minutes=5), timedelta(minutes=1), timedelta(hours=1)
SENDER = Sender("urn:fss:cn-north-4:p:function:default:track_backups", "cn-north-4", "p", "r-1")


class Tracking:
    """Followers of the backups of a fake DDS, one for each delivery, 300 s after START."""

    def __init__(self, *courses: Course, topic: FakeTopic | None = None) -> None:
        self.dds = History(courses=courses)
        self.dds.clock.seconds = 300
        self.topic = topic or FakeTopic()
        self.rng = random.Random(1)

    def follow(
        self,
        since: datetime = START - timedelta(hours=1),
        until: datetime = START + timedelta(minutes=5),
        fresh_since: datetime | None = None,
    ) -> Followed:
        """Publish what happened in a window."""
        return self.follow_window(Window(since, until, fresh_since or since))

    def follow_window(self, window: Window, *, remaining: float = 295, request_id: str = "r-1") -> Followed:
        """Publish what happened in a window, with a deadline of `remaining` seconds."""
        retrying = make_retrying(self.dds.clock, remaining)
        follower = Follower(
            backups=self.dds,
            jobs=JobFinder(FakeJobs(self.dds), retrying),
            rules=OccurrenceRules(STUCK, PERIOD),
            follow_for=timedelta(days=2),
            retrying=retrying,
            notifier=Notifier(
                self.topic, make_retrying(self.dds.clock, remaining), replace(SENDER, request_id=request_id)
            ),
            concurrency=2,
            rng=self.rng,
        )
        return follower.follow(window)

    def published(self) -> dict[str, list[dict[str, Any]]]:
        """Return the CloudEvents on the topic by their ids, without the request ids."""
        events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for notification in self.topic.sent:
            event = json.loads(notification.body)
            del event["data"]["request_id"]
            events[event["id"]].append(event)
        return events


def test_what_happened_in_a_window_is_published_with_the_jobs() -> None:
    """One call lists the backups, and one lists the jobs of all of them."""
    tracking = Tracking(
        Course("b-1", A, START, 120, good=False), Course("b-2", INSTANCES[1], START - timedelta(minutes=58), 9000)
    )
    tracking.dds.tasks = [BackupJob("job-1", A, START, "Failed", "", "no space")]

    followed = tracking.follow()

    assert followed.status is Status.SUCCEEDED
    assert [(p.occurrence.kind, p.occurrence.backup.id, p.notified) for p in followed.published] == [
        ("dds.backup.failed", "b-1", True),
        ("dds.backup.stuck", "b-2", True),
    ]
    jobs = {event["data"]["backup_id"]: event["data"]["job_id"] for (event,) in tracking.published().values()}
    assert jobs == {"b-1": "job-1", "b-2": None}
    assert tracking.dds.calls == ["list", "jobs"]


def test_a_window_without_news_takes_one_call() -> None:
    """The result counts the backups in progress."""
    tracking = Tracking(Course("b-1", A, START, 9000))

    followed = tracking.follow()

    assert (followed.published, followed.building, followed.status) == ([], 1, Status.SUCCEEDED)
    assert tracking.dds.calls == ["list"]
    assert not tracking.topic.sent


def test_only_backups_of_this_application_are_followed() -> None:
    """A key at the end of the description marks them."""
    followed = Tracking(
        Course("b-1", A, START, 120, description="made by hand"), Course("b-2", A, START, 9000, description="")
    ).follow()

    assert (followed.published, followed.building) == ([], 0)


def test_a_backup_is_followed_for_a_limited_time() -> None:
    """The list begins `follow_for` before the window."""
    since = START - timedelta(hours=1)
    late, too_late = (
        Course(f"b-{hours}", A, since - timedelta(hours=hours), hours * 3600 + 3900, good=False) for hours in (48, 49)
    )

    followed = Tracking(late, too_late).follow(since)

    assert [one.occurrence.backup.id for one in followed.published] == ["b-48"]


def test_a_backup_on_two_pages_of_the_list_is_published_once() -> None:
    """Pages overlap if a backup begins while they are read."""
    course = Course("b-1", A, START, 120)

    assert len(Tracking(course, course).follow().published) == 1


def test_a_backup_without_times_is_reported() -> None:
    """It is in no window."""
    tracking = Tracking()
    ended = Course("b-9", A, START, 1, good=False, shows_end=False).at(START + PERIOD)
    tracking.dds.list = lambda **_: [replace(ended, begin_time=None)]  # type: ignore[method-assign]

    assert (tracking.follow().untimed, tracking.topic.sent) == (["b-9"], [])


def test_an_end_from_an_earlier_window_is_marked() -> None:
    """The attribute tells subscribers with a filter policy that they know the event."""
    tracking = Tracking(Course("b-1", A, START, 120))
    for fresh_since in (START, START + timedelta(seconds=120)):
        tracking.follow(fresh_since=fresh_since)

    assert [sent.attributes["announcement"] for sent in tracking.topic.sent] == ["first", "again"]
    assert len(set(ids_of(tracking.topic.sent))) == 1


def test_a_notification_that_smn_refuses_is_left_to_a_redelivery() -> None:
    """The result says which one."""
    tracking = Tracking(Course("b-1", A, START, 120), Course("b-2", A, START, 130))
    tracking.topic.faults = [InvalidError("no"), InvalidError("no")]

    followed = tracking.follow()

    assert (followed.status, followed.unfinished) == (Status.PARTIALLY_FAILED, True)
    assert len(followed.unpublished) == len(tracking.topic.sent) == 1


@pytest.mark.parametrize("error", [TransientError("503"), DeniedError("no")])
def test_a_list_that_cannot_be_read_is_raised(error: CloudError) -> None:
    """Nothing is published."""
    tracking = Tracking(Course("b-1", A, START, 120))
    tracking.dds.list_faults = [error] * 5

    with pytest.raises(type(error)):
        tracking.follow()
    assert not tracking.topic.sent


def test_a_failed_task_list_does_not_stop_the_notification() -> None:
    """It only lacks the job id."""
    tracking = Tracking(Course("b-1", A, START, 120))
    tracking.dds.job_faults = [DeniedError("no")]

    assert tracking.follow().status is Status.SUCCEEDED


def test_deliveries_that_run_out_of_time_publish_different_backups() -> None:
    """Each delivery of a throttled topic publishes only a few of a hundred, in random order."""
    courses = [Course(f"b-{n}", A, START - timedelta(seconds=200), n) for n in range(1, 100)]
    tracking = Tracking(*courses)
    window = Window(START - PERIOD, START, START - PERIOD)
    for _ in range(60):
        tracking.topic.faults = [*[None] * 12, *[ThrottledError("429", retry_after=500)] * 500]
        tracking.follow_window(window, remaining=20)

    assert len(tracking.topic.sent) <= 60 * 12
    published = {json.loads(sent.body)["data"]["backup_id"] for sent in tracking.topic.sent}
    assert published == {course.id for course in courses}


# Timer events that are missed, delivered late, twice and in any order, under faults and kills.

EVENTS = 30
LONGEST_LAG = DELAY.seconds  # the delay of the windows gives DDS this time to show an end


def make_courses(drawn: list[tuple[int, int, bool, int, bool]]) -> list[Course]:
    return [
        Course(f"b-{n}", INSTANCES[n % 9], START + timedelta(seconds=begin), duration, good, lag, shows_end)
        for n, (begin, duration, good, lag, shows_end) in enumerate(drawn)
    ]


def kill() -> None:
    raise Killed


COURSES = st.lists(
    st.tuples(
        st.integers(min_value=-2000, max_value=EVENTS * PERIOD.seconds),
        st.one_of(st.integers(min_value=1, max_value=900), st.integers(min_value=1, max_value=9000)),
        st.booleans(),
        st.integers(min_value=0, max_value=LONGEST_LAG),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=8,
).map(make_courses)
SECONDS_LATE = st.one_of(st.integers(min_value=0, max_value=30), st.integers(min_value=0, max_value=3000))
ERRORS = [None, None, TransientError("503"), AmbiguousError("cut"), ThrottledError("429", retry_after=400)]
LIST_FAULTS = st.lists(st.sampled_from([*ERRORS, kill]), max_size=12)
PUBLISH_FAULTS = st.lists(st.sampled_from([*ERRORS, Killed()]), max_size=12)


@dataclass(frozen=True)
class Delivery:
    """A timer event that arrives `late` seconds after it was due."""

    number: int
    late: int

    @property
    def due(self) -> datetime:
        """When the timer event is due."""
        return START + self.number * PERIOD


def deliver_all(tracking: Tracking, deliveries: list[Delivery], lookback: int) -> None:
    """Deliver the timer events in the order of their arrival, each until nothing is left to publish."""
    schedule, clock = Schedule(PERIOD, DELAY, lookback), tracking.dds.clock
    clock.seconds = 0
    for delivery in sorted(deliveries, key=lambda d: d.due + timedelta(seconds=d.late)):
        clock.seconds = max(clock.seconds, delivery.number * PERIOD.seconds + delivery.late)
        for attempt in range(40):
            try:
                followed = tracking.follow_window(schedule.window(delivery.due), request_id=f"{delivery}-{attempt}")
            except (CloudError, Killed):
                clock.seconds += 60
            else:
                if not followed.unfinished:
                    break
                clock.seconds += 60
        else:
            raise AssertionError("never finished")


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    data=st.data(),
    courses=COURSES,
    lookback=st.integers(min_value=0, max_value=2),
    publish_faults=PUBLISH_FAULTS,
    list_faults=LIST_FAULTS,
)
def test_every_end_is_published_under_one_id_that_means_nothing_else(
    data: st.DataObject, courses: list[Course], lookback: int, publish_faults: list[Any], list_faults: list[Any]
) -> None:
    """As many timer events in a row may be missed as the lookback allows."""
    missed: set[int] = set()
    for number, may_be_missed in enumerate(data.draw(st.lists(st.booleans(), min_size=EVENTS, max_size=EVENTS))):
        in_a_row = next(n for n in range(EVENTS + 1) if number - n - 1 not in missed)
        if may_be_missed and in_a_row < lookback and number:
            missed.add(number)
    times = data.draw(st.lists(st.integers(min_value=1, max_value=2), min_size=EVENTS + 1, max_size=EVENTS + 1))
    deliveries = [
        Delivery(number, data.draw(SECONDS_LATE))
        for number in range(EVENTS + 1)
        if number not in missed
        for _ in range(times[number])
    ]
    tracking = Tracking(*courses, topic=FakeTopic(faults=list(publish_faults)))
    tracking.dds.list_faults = list(list_faults)

    deliver_all(tracking, deliveries, lookback)

    events, by_id = tracking.published(), {course.id: course for course in courses}
    ids = defaultdict(set)
    for event_id, versions in events.items():
        ids[versions[0]["type"], versions[0]["data"]["backup_id"]].add(event_id)
        for version in versions:
            if by_id[version["data"]["backup_id"]].shows_end:
                assert version == versions[0]
            else:
                assert version["data"] == versions[0]["data"]
    assert all(len(found) == 1 for found in ids.values())
    assert len(ids) == len(events)
    kinds = {True: "dds.backup.completed", False: "dds.backup.failed"}
    first, last = START - DELAY - PERIOD, START + EVENTS * PERIOD - DELAY
    for course in courses:
        end = (kinds[course.good], course.id)
        assert (kinds[not course.good], course.id) not in ids
        if course.shows_end and first < course.end <= last:
            assert end in ids
        if not course.shows_end and course.begin + 2 * (course.end_shown - course.begin) + 4 * PERIOD < last:
            assert course.begin < first or end in ids
        if ("dds.backup.stuck", course.id) in ids:
            assert course.duration > STUCK.total_seconds() or not course.shows_end


def test_a_span_makes_up_for_more_missed_timer_events_than_the_lookback() -> None:
    """It publishes the end under the id that the timer event would have used."""
    course = Course("b-1", INSTANCES[0], START, 500)
    with_gap, without_gap = Tracking(course), Tracking(course)
    deliver_all(with_gap, [Delivery(number, 0) for number in (0, 1, 4, 5)], lookback=1)
    deliver_all(without_gap, [Delivery(number, 0) for number in (0, 1, 2, 3)], lookback=1)
    assert not with_gap.topic.sent

    until = START + timedelta(seconds=9000)
    with_gap.dds.clock.seconds = 9000
    with_gap.follow(START, until, fresh_since=until)

    assert list(with_gap.published()) == list(without_gap.published())
    assert with_gap.topic.sent[0].attributes["announcement"] == "again"
