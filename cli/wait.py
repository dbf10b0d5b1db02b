"""``ddsbackup wait``: until a backup is over, for a pipeline."""

import json
import logging
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from cli.console import make_console
from cli.errors import WrongCall
from cli.waiting.displays import Bars, Lines, OpenDisplay, verdict
from cli.waiting.polling import Poll, Waited
from shared.errors import CloudError
from shared.fields import Interval
from shared.format import duration
from shared.runtime.invocation import SystemClock
from shared.runtime.logs import SDK_LOGGERS
from shared.track.questions import Questions
from shared.track.report import Answer, State


FAILED, TIMED_OUT = 1, 3


class Duration(click.ParamType[float]):
    """Such as 90s, 30m, 12h; in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        try:
            duration: timedelta = TypeAdapter(Interval).validate_python(value)
        except ValidationError:
            self.fail(f"found {value}, expected a duration such as 90s, 30m or 12h", param, ctx)
        return duration.total_seconds()


@click.command(short_help="Wait until a backup is over.")
@click.option("--job-id", metavar="ID", help="The job that makes the backup: job_id in create_backup's report.")
@click.option("--backup-id", metavar="ID", help="The backup.")
@click.option("--idempotency-key", metavar="KEY", help="All backups of the event that was sent with this key.")
@click.option(
    "--expect",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --idempotency-key: how many backups the event makes. Default: all there are, 1 at least.",
)
@click.option("--cloud", metavar="URL", help="A running local cloud (ddsbackup serve). Default: the real cloud.")
@click.option("--region", metavar="REGION", help="The region of the real cloud, such as cn-north-4.")
@click.option(
    "--timeout", type=Duration(), default="30m", show_default=True, metavar="DURATION", help="How long to wait."
)
@click.option(
    "--interval", type=Duration(), default="10s", show_default=True, metavar="DURATION", help="How often to ask."
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
    """Wait until a backup is over, asking DDS itself; name it by exactly one of the three ids.

    The exit status is 0 when it is completed, 1 when it failed, 3 when the time was over first, 2 for a wrong call
    (also if DDS has not shown the job or backup after two minutes, or denies access). The real cloud is asked with the
    keys in HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK and, for temporary ones, HUAWEICLOUD_SDK_SECURITY_TOKEN, or in
    ~/.huaweicloud/credentials, in the region's project or HUAWEICLOUD_SDK_PROJECT_ID. IAM: dds:backup:list,
    dds:task:list; to look up the project, GET /v3/projects.

    \b
      ddsbackup wait --job-id 4df77e62-a2a0-48cf-bee6-df51cd6ac68d --region cn-north-4
      ddsbackup wait --idempotency-key release-42 --expect 2 --region cn-north-4 --timeout 2h
      ddsbackup wait --backup-id 84b498458b0d4135a067e7f197492d69br02 --cloud http://127.0.0.1:8600
    """
    from cli.huaweicloud.access import open_access  # it takes the SDK
    from cli.waiting.connection import questions

    question = _question(job_id, backup_id, idempotency_key)
    if expect and not idempotency_key:
        raise click.UsageError("--expect goes with --idempotency-key: the other ids name one backup")
    for name in ("shared", *SDK_LOGGERS):
        logging.getLogger(name).addHandler(logging.NullHandler())  # what goes wrong is shown below
    clock = SystemClock()
    asked = questions(open_access(cloud, region), clock)
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
    _tell(waited, as_json=as_json)
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


def _display() -> OpenDisplay:
    console = make_console(stderr=True)
    return Bars(console) if console.is_terminal else Lines(console)


def _status(waited: Waited) -> int:
    if waited.is_timed_out:
        return TIMED_OUT
    state = waited.answer.state if waited.answer else State.UNKNOWN
    return {State.COMPLETED: 0, State.FAILED: FAILED}.get(state, WrongCall.exit_code)


def _tell(waited: Waited, *, as_json: bool) -> None:
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
