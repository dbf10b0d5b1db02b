"""``ddsbackup event``: a sample event on standard output."""

import json

import click

from cli.payloads import CARRIERS
from cli.samples import sample_event


@click.command(short_help="Print a sample event.")
@click.argument("trigger", metavar="TRIGGER", type=click.Choice(list(CARRIERS), case_sensitive=False))
@click.option("changes", "--set", metavar="KEY=VALUE", multiple=True, help="Change the event; may be repeated.")
def event(trigger: str, changes: tuple[str, ...]) -> None:
    """Print the sample event of TRIGGER as JSON.

    \b
    TRIGGER is one of timer, smn, kafka, opensource-kafka, rabbitmq, rocketmq,
    eventgrid, apig, direct and api-page.

    A KEY that is a field of the request (instance_ids, instance_id, name, description, idempotency_key,
    min_interval, backup) is set in the request, wherever the trigger carries it: in every record and message,
    inside JSON text or base64. Any other KEY is a dotted path in the event and has to be there already, such as
    record.0.smn.message_id. A VALUE is JSON where it can be, else text: 5 is a number, '"5"' is text.

    The same sample is the same event, whose redelivery makes no second backup. For a new event, change what
    identifies it, and the name where the request has one, since no two backups may share it:

    \b
      timer                  --set time=2026-06-02T02:00:00+08:00
      smn                    --set record.0.smn.message_id=$(uuidgen), and record.1 likewise
      kafka and other queues --set idempotency_key=$(uuidgen)
      eventgrid              --set id=$(uuidgen)
      apig                   --set headers.idempotency-key=$(uuidgen)
      direct                 --set idempotency_key=$(uuidgen) --set name=by-hand-2
      api-page               --set name=mybackup2
    """
    click.echo(json.dumps(sample_event(trigger, changes), indent=2, ensure_ascii=False))
