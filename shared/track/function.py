"""track_backups: publishes how backups end, and answers how far they are."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from shared.errors import CloudError, InvalidRequestError, RequestError
from shared.fields import Interval
from shared.jobs import JobFinder
from shared.runtime.invocation import InvocationScope
from shared.runtime.settings import Settings
from shared.track.follow import Follower
from shared.track.questions import Questions
from shared.track.report import Answer, Followed, TrackReport
from shared.track.request import LONGEST_SPAN, TrackRequest
from shared.track.window import OccurrenceRules, Schedule, Window
from shared.triggers.receive import Incoming, Received, receive


class TrackBackupsSettings(Settings):
    """The settings of track_backups. Durations look like "90s", "30m", "12h", "7d".

    Attributes:
        TRACK_PERIOD: from one run of its timer to the next; has to be the timer's rate.
        TRACK_DELAY: how long before a run its window ends, so that DDS lists everything that happened in it.
        TRACK_LOOKBACK: how many runs in a row may be missed: each window covers as many earlier periods again.
        STUCK_AFTER: how long a backup may take before it is stuck.
        FOLLOW_FOR: how long a backup is followed from its begin; bounds what is listed.
    """

    TRACK_PERIOD: Interval = timedelta(minutes=5)
    TRACK_DELAY: Interval = timedelta(minutes=1)
    TRACK_LOOKBACK: Annotated[int, Field(ge=0, le=100)] = 1
    STUCK_AFTER: Interval = timedelta(hours=6)
    FOLLOW_FOR: Annotated[Interval, Field(validate_default=True)] = timedelta(days=2)

    @field_validator("FOLLOW_FOR")
    @classmethod
    def _is_longer_than_stuck_after(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value <= info.data.get("STUCK_AFTER", timedelta(0)):
            raise ValueError(f"must be longer than STUCK_AFTER; found {value}")
        return value


def run(event: object, scope: InvocationScope[TrackBackupsSettings]) -> tuple[Received[TrackRequest], TrackReport]:
    """Publish what happened to backups in the window that the event means, or answer its question."""
    received = receive(event, TrackRequest, request_id=scope.request_id)
    follower, questions = _follower(scope), _questions(scope)
    followed: list[Followed] = []
    answers: list[Answer] = []
    rejected = list(received.rejected)
    for incoming in received.requests:
        try:
            if answer := _answer(incoming.request, questions):
                answers.append(answer)
            else:
                followed.append(follower.follow(_window(incoming, scope)))
        except (RequestError, CloudError) as error:
            rejected.append(incoming.reject(error))
    if received.is_asynchronous:
        rejected = [scope.notifier.publish_rejection(rejection, received.trigger) for rejection in rejected]
    report = TrackReport(
        received.trigger, scope.request_id, rejected, received.ignored, followed=followed, answers=answers
    )
    return received, report


def _answer(request: TrackRequest, questions: Questions) -> Answer | None:
    """Return the answer if the request is a question."""
    if request.job_id:
        return questions.job(request.job_id)
    if request.backup_id:
        return questions.backup(request.backup_id)
    return questions.event(request.idempotency_key) if request.idempotency_key else None


def _window(incoming: Incoming[TrackRequest], scope: InvocationScope[TrackBackupsSettings]) -> Window:
    """Return the requested span, or else the window of the timer's run."""
    request, settings = incoming.request, scope.settings
    if request.since:
        now = scope.clock.now()
        until = min(request.until or now, now)
        if not timedelta(0) < until - request.since <= LONGEST_SPAN:
            raise InvalidRequestError(
                [f"since: must be in the last {LONGEST_SPAN.days} days; or give an until as well"]
            )
        return Window(request.since, until, fresh_since=until)
    if incoming.is_recurring and incoming.time:
        return Schedule(settings.TRACK_PERIOD, settings.TRACK_DELAY, settings.TRACK_LOOKBACK).window(incoming.time)
    raise InvalidRequestError(["ask with one of job_id, backup_id and idempotency_key, or give a since"])


def _follower(scope: InvocationScope[TrackBackupsSettings]) -> Follower:
    settings = scope.settings
    return Follower(
        backups=settings.fence.backups(scope.cloud.backups),
        jobs=JobFinder(scope.cloud.jobs, scope.dds),
        rules=OccurrenceRules(settings.STUCK_AFTER, settings.TRACK_PERIOD),
        follow_for=settings.FOLLOW_FOR,
        retrying=scope.dds,
        notifier=scope.notifier,
        concurrency=settings.MAX_CONCURRENCY,
        rng=scope.rng,
    )


def _questions(scope: InvocationScope[TrackBackupsSettings]) -> Questions:
    backups = scope.settings.fence.backups(scope.cloud.backups)
    return Questions(backups, scope.cloud.jobs, scope.clock, scope.dds)
