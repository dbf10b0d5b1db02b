"""``ddsbackup wait``: poll DDS until a backup is over, for a pipeline."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from cli.console import make_console
from cli.dds import open_dds
from cli.errors import WrongCall
from cli.options import Duration
from cli.wait.display import Bars, Display, Lines, verdict
from shared.errors import CloudError
from shared.format import duration
from shared.model import Clock
from shared.runtime.invocation import SystemClock
from shared.track.questions import Questions
from shared.track.report import Answer, State


FAILED, TIMED_OUT = 1, 3

GRACE = 120.0
"""Seconds after which DDS lists any job or backup that it has made. The documents say several seconds."""


@click.command(short_help="Wait until a backup is over.")
@click.option("--job-id", metavar="ID", help="The job of the backup: job_id in create_backup's report.")
@click.option("--backup-id", metavar="ID", help="The backup.")
@click.option("--idempotency-key", metavar="KEY", help="All backups of the event that was sent with this key.")
@click.option(
    "--expect",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --idempotency-key: the number of backups to wait for. Default: those that exist, at least 1.",
)
@click.option(
    "--cloud",
    metavar="URL",
    help="A running local cloud (ddsbackup serve): its URL, or local for the default one. Default: the real cloud.",
)
@click.option("--region", metavar="REGION", help="The region of the real cloud, such as cn-north-4.")
@click.option(
    "--timeout", type=Duration(), default="30m", show_default=True, metavar="DURATION", help="How long to wait."
)
@click.option(
    "--interval", type=Duration(), default="10s", show_default=True, metavar="DURATION", help="How often to poll."
)
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document at the end.")
def wait(
    job_id: str | None,
    backup_id: str | None,
    idempotency_key: str | None,
    expect: int | None,
    cloud: str | None,
    region: str | None,
    timeout: float,
    interval: float,
    as_json: bool,
) -> None:
    """Wait until a backup is over. Exactly one of the three ids names it.

    The exit status is 0 if it completed, 1 if it failed, 3 at the timeout, and 2 for a wrong call. Denied access is a
    wrong call, and so is an id that DDS does not list after two minutes.

    For the real cloud, the keys are read from HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and, for temporary keys,
    HUAWEICLOUD_SDK_SECURITY_TOKEN, or from ~/.huaweicloud/credentials. The project is HUAWEICLOUD_SDK_PROJECT_ID, or
    that of the region. They need the IAM actions dds:backup:list and dds:task:list, and GET /v3/projects to look up the
    project.

    \b
      ddsbackup wait --job-id 4df77e62-a2a0-48cf-bee6-df51cd6ac68d --region cn-north-4
      ddsbackup wait --idempotency-key release-42 --expect 2 --region cn-north-4 --timeout 2h
      ddsbackup wait --backup-id 84b498458b0d4135a067e7f197492d69br02 --cloud http://127.0.0.1:8600
    """
    question = _question(job_id, backup_id, idempotency_key)
    if expect and not idempotency_key:
        raise click.UsageError("--expect needs --idempotency-key: the other ids name one backup")
    clock = SystemClock()
    dds = open_dds(cloud, region, clock)
    asked = Questions(dds.backups, dds.jobs, clock, dds.retrying.within(float("-inf")))  # one try each
    poll = Poll(
        lambda: question(asked),
        clock,
        timeout,
        interval,
        expect=expect or 1,
        may_come_late=idempotency_key is not None,
    )
    try:
        with _display() as display:
            waited = poll.until_over(display)
    except CloudError as error:
        raise WrongCall(f"DDS refuses to answer ({error.code}): {error}") from error
    except KeyboardInterrupt:
        sys.exit(130)
    _print_result(waited, as_json=as_json)
    sys.exit(_status(waited))


def _question(job_id: str | None, backup_id: str | None, idempotency_key: str | None) -> Callable[[Questions], Answer]:
    asked: list[Callable[[Questions], Answer]] = []
    if job_id:
        asked.append(lambda questions: questions.job(job_id))
    if backup_id:
        asked.append(lambda questions: questions.backup(backup_id))
    if idempotency_key:
        asked.append(lambda questions: questions.event(idempotency_key))
    if len(asked) != 1:
        raise click.UsageError("give exactly one of --job-id, --backup-id and --idempotency-key")
    return asked[0]


def _display() -> Display:
    console = make_console(stderr=True)
    return Bars(console) if console.is_terminal else Lines(console)


@dataclass(frozen=True, slots=True)
class Waited:
    """The result of polling: the last answer (None without any), and the error of the last call if that failed."""

    answer: Answer | None
    error: CloudError | None
    seconds: float
    is_timed_out: bool


@dataclass(frozen=True, slots=True)
class Poll:
    """How to poll.

    Attributes:
        timeout, interval: seconds.
        expect: the number of backups that have to complete.
        may_come_late: whether the backups may be made at any time, so that an empty answer proves nothing.
    """

    ask: Callable[[], Answer]
    clock: Clock
    timeout: float
    interval: float
    expect: int = 1
    may_come_late: bool = False

    def until_over(self, display: Display) -> Waited:
        """Poll at once, then at every interval, and a last time at the timeout.

        Retryable errors do not end it, and it waits as long as the service asks for. Raises CloudError for any other
        error.
        """
        began = self.clock.monotonic()
        answer: Answer | None = None
        while True:
            error, pause = None, self.interval
            try:
                answer = self.ask()
            except CloudError as caught:
                if not caught.retryable:
                    raise
                error, pause = caught, max(self.interval, caught.retry_after or 0)
            seconds = self.clock.monotonic() - began
            if error:
                display.failed(error, seconds)
            elif answer:
                display.answered(answer, seconds)
                if self._is_over(answer, seconds):
                    return Waited(answer, None, seconds, is_timed_out=False)
            if seconds >= self.timeout:
                return Waited(answer, error, seconds, is_timed_out=True)
            self.clock.sleep(min(pause, self.timeout - seconds))

    def _is_over(self, answer: Answer, seconds: float) -> bool:
        if answer.state is State.UNKNOWN:
            return not self.may_come_late and seconds >= GRACE
        return answer.state is State.FAILED or (answer.state is State.COMPLETED and len(answer.backups) >= self.expect)


def _status(waited: Waited) -> int:
    if waited.is_timed_out:
        return TIMED_OUT
    state = waited.answer.state if waited.answer else State.UNKNOWN
    return {State.COMPLETED: 0, State.FAILED: FAILED}.get(state, WrongCall.exit_code)


def _print_result(waited: Waited, *, as_json: bool) -> None:
    answer, error = waited.answer, waited.error
    if as_json:
        document = answer.document() if answer else {"state": State.UNKNOWN.value, "backups": []}
        more = {"timed_out": waited.is_timed_out, "waited": round(waited.seconds, 1)}
        print(json.dumps({**document, **more, **({"error": str(error)} if error else {})}))
    elif answer:
        print("\n".join(verdict(backup) for backup in answer.backups) or f"UNKNOWN  {answer.message}")
    if waited.is_timed_out:
        reason = f"; the last call failed: {error}" if error else ""
        print(f"timed out after {duration(waited.seconds)}{reason}", file=sys.stderr)
