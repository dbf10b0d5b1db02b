"""track_backups: backups followed to their end, which is announced; and how far one is, for whoever asks."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from shared.backups.errors import CloudError, InvalidRequestError, RequestError
from shared.backups.requests import Interval
from shared.backups.tracking.answers import Answer
from shared.backups.tracking.following import Followed, Follower
from shared.backups.tracking.occurrences import Rules
from shared.backups.tracking.questions import Questions
from shared.backups.tracking.report import TrackReport
from shared.backups.tracking.requests import LONGEST_SPAN, TrackRequest
from shared.backups.tracking.tasks import Tasks
from shared.backups.tracking.windows import Ticks, Window
from shared.runtime.running import Running
from shared.runtime.settings import Settings
from shared.triggers.requests import Incoming, Received, receive


class TrackBackupsSettings(Settings):
    """The settings of track_backups. Durations are such as "90s", "30m", "12h", "7d".

    Attributes:
        TRACK_PERIOD: from one tick of its timer to the next; has to be the timer's rate.
        TRACK_DELAY: how long before a tick its window ends, so that DDS lists what happened in it.
        TRACK_LOOKBACK: how many ticks in a row may be missed: each window covers as many earlier periods once more.
        STUCK_AFTER: how long a backup may take before it is called stuck.
        FOLLOW_FOR: how long a backup is followed from its begin; bounds what is listed.
    """

    TRACK_PERIOD: Interval = timedelta(minutes=5)
    TRACK_DELAY: Interval = timedelta(minutes=1)
    TRACK_LOOKBACK: Annotated[int, Field(ge=0, le=100)] = 1
    STUCK_AFTER: Interval = timedelta(hours=6)
    FOLLOW_FOR: Annotated[Interval, Field(validate_default=True)] = timedelta(days=2)

    @field_validator("FOLLOW_FOR")
    @classmethod
    def _outlasts_stuck(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if value <= info.data.get("STUCK_AFTER", timedelta(0)):
            raise ValueError(f"must be longer than STUCK_AFTER; found {value}")
        return value


def run(event: object, running: Running[TrackBackupsSettings]) -> tuple[Received[TrackRequest], TrackReport]:
    """Announce what happened to backups in the window that the event means, or answer what it asks."""
    received = receive(event, TrackRequest, request_id=running.invocation.request_id)
    announcer, follower, questions = running.announcer(), _follower(running), _questions(running)
    followed: list[Followed] = []
    answers: list[Answer] = []
    rejected = list(received.rejected)
    for incoming in received.requests:
        try:
            if answer := _answer(incoming.request, questions):
                answers.append(answer)
            else:
                followed.append(follower.follow(_window(incoming, running)))
        except (RequestError, CloudError) as error:
            rejected.append(incoming.reject(error))
    if received.is_asynchronous:
        rejected = [announcer.reject(rejection, received.trigger) for rejection in rejected]
    report = TrackReport(received.trigger, running.invocation.request_id, followed, answers, rejected, received.ignored)
    return received, report


def _answer(request: TrackRequest, questions: Questions) -> Answer | None:
    """The answer, if a question was asked."""
    if request.job_id:
        return questions.job(request.job_id)
    if request.backup_id:
        return questions.backup(request.backup_id)
    return questions.event(request.idempotency_key) if request.idempotency_key else None


def _window(incoming: Incoming[TrackRequest], running: Running[TrackBackupsSettings]) -> Window:
    """The span that was asked for, else the window of the tick."""
    request, settings = incoming.request, running.settings
    if request.since:
        now = running.clock.now()
        until = min(request.until or now, now)
        if not timedelta(0) < until - request.since <= LONGEST_SPAN:
            raise InvalidRequestError(
                [f"since: must be in the last {LONGEST_SPAN.days} days; or give an until as well"]
            )
        return Window(request.since, until, fresh_since=until)
    if incoming.is_recurring and incoming.time:
        return Ticks(settings.TRACK_PERIOD, settings.TRACK_DELAY, settings.TRACK_LOOKBACK).window(incoming.time)
    raise InvalidRequestError(["ask with one of job_id, backup_id and idempotency_key, or give a since"])


def _follower(running: Running[TrackBackupsSettings]) -> Follower:
    settings = running.settings
    return Follower(
        backups=running.cloud.backups,
        tasks=Tasks(running.cloud.jobs, running.retrying()),
        rules=Rules(settings.STUCK_AFTER, settings.TRACK_PERIOD),
        follow_for=settings.FOLLOW_FOR,
        retrying=running.retrying(),
        announcer=running.announcer(),
        concurrency=settings.MAX_CONCURRENCY,
        rng=running.rng,
    )


def _questions(running: Running[TrackBackupsSettings]) -> Questions:
    return Questions(running.cloud.backups, running.cloud.jobs, running.clock, running.retrying())
