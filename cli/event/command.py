"""``ddsbackup event``: print a sample event."""

import json
from datetime import datetime, timezone

import click

from cli.errors import WrongCall, did_you_mean
from cli.event.samples import CARRIERS, CREATE, sample_event
from cli.options import Moment


now_option = click.option("is_now", "--now", is_flag=True, help="Let the sample event take place now.")
at_option = click.option(
    "at",
    "--at",
    type=Moment(),
    metavar="TIME",
    help="Let the sample event take place at this time, with a zone, such as 2026-06-01T02:00:00+08:00.",
)


@click.command(short_help="Print a sample event.")
@click.argument("words", metavar="[FUNCTION] TRIGGER", nargs=-1, required=True)
@now_option
@at_option
@click.option("changes", "--set", metavar="KEY=VALUE", multiple=True, help="Change the event. Repeatable.")
def event(words: tuple[str, ...], is_now: bool, at: datetime | None, changes: tuple[str, ...]) -> None:
    """Print the sample event of TRIGGER for FUNCTION as JSON.

    \b
    FUNCTION is one of create_backup (the default), track_backups, prune_backups,
    audit_backups and drill_backups.
    TRIGGER is one of timer, smn, kafka, opensource-kafka, rabbitmq, rocketmq,
    eventgrid, apig, direct and, for create_backup, api-page.

    A KEY that is a field of the request to the function (for create_backup instance_ids, instance_id, select, name,
    description, idempotency_key, min_interval or backup) is set in the request, wherever the trigger carries it: in
    every record and message, inside JSON text or base64. Any other KEY is a dotted path to an existing value of the
    event, such as record.0.smn.message_id. A VALUE that is valid JSON is read as JSON, anything else as text: 5 is a
    number, '"5"' is text.

    The samples are from June 2026. Sending the same one again redelivers the same event, which makes no second backup.
    --now makes a new event of the present: it sets the times of the trigger, its ids, idempotency keys, and the names
    of backups that are named exactly. So does --at, and the same time makes the same event again. --set comes after
    both.

    \b
      ddsbackup event timer
      ddsbackup event prune_backups timer --now
      ddsbackup event audit_backups direct --set policies.0.grace=1h
      ddsbackup event direct --now --set select='{"tags": {"env": ["production"]}}'
    """
    function, trigger = _words(words)
    moment = moment_of(at, datetime.now(timezone.utc) if is_now else None)
    sample = sample_event(trigger, changes, function=function, moment=moment)
    click.echo(json.dumps(sample, indent=2, ensure_ascii=False))


def moment_of(at: datetime | None, now: datetime | None) -> datetime | None:
    """Return the time of ``--at``, or else *now*. Raises UsageError for both."""
    if at is None:
        return now
    if now:
        raise click.UsageError("give either --now or --at")
    return at


def _words(words: tuple[str, ...]) -> tuple[str, str]:
    """Return function and trigger. Raises WrongCall, which names the known ones."""
    from cli.preflight.functions import FUNCTIONS

    if len(words) > 2:
        raise click.UsageError(f"found {len(words)} words, expected [FUNCTION] TRIGGER")
    function, trigger = words if len(words) == 2 else (CREATE, words[0])
    if function not in FUNCTIONS:
        hint = did_you_mean(function, FUNCTIONS)
        raise WrongCall(f"there are no sample events of {function!r}{hint} Known: {', '.join(FUNCTIONS)}")
    if len(words) == 1 and trigger in FUNCTIONS:
        raise WrongCall(f"found {trigger} without a trigger, expected one of {', '.join(CARRIERS)} after it")
    if trigger.lower() not in CARRIERS:
        hint = did_you_mean(trigger, CARRIERS)
        raise WrongCall(f"there is no trigger {trigger!r}{hint} Known: {', '.join(CARRIERS)}")
    return function, trigger.lower()
