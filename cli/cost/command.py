"""``ddsbackup cost``: what the application costs to run."""

import json
from datetime import datetime, timezone
from math import inf
from pathlib import Path

import click

from cli.console import make_console
from cli.errors import WrongCall, did_you_mean
from cli.options import template_option
from cli.template.load import find_template, load_template
from cli.template.model import Template


_COUNT = click.IntRange(min=0)
_AMOUNT = click.FloatRange(min=0)


@click.command(short_help="Say what it costs to run, in calls and GB-seconds.")
@click.option(
    "--instances", type=click.IntRange(min=1), default=1, help="Instances backed up by each event. Default: 1."
)
@click.option(
    "--events", type=_AMOUNT, default=0.0, help="Events a month of each trigger that is no timer. Default: 0."
)
@click.option("--kept", type=_COUNT, help="Backups of each instance at a time. Default: what RETENTION keeps.")
@click.option("--memory", multiple=True, metavar="[FUNCTION=]MB", help="In place of the template's; may be repeated.")
@click.option(
    "--duration",
    multiple=True,
    metavar="[FUNCTION=]SECONDS",
    help="Measured, in place of the estimate; may be repeated.",
)
@click.option("--call-seconds", type=_AMOUNT, default=0.2, help="How long an API call takes. Default: 0.2.")
@click.option("--cold-start", type=_AMOUNT, default=1.0, help="Seconds until the handler begins. Default: 1.")
@click.option(
    "--calls-a-minute",
    type=click.IntRange(min=1),
    default=60,
    help="Calls of DDS that are let through. Default: 60, as documented for RDS and DDM; for DDS nothing is.",
)
@click.option("--backup-size", type=_AMOUNT, metavar="GB", help="Of one backup; with --storage.")
@click.option("--storage", type=_AMOUNT, metavar="GB", help="Of one instance: backups are free up to it.")
@click.option(
    "--price-million-requests", type=_AMOUNT, metavar="PRICE", help="In your region, for 1,000,000 invocations."
)
@click.option("--price-gb-second", type=_AMOUNT, metavar="PRICE", help="In your region, for a GB-second.")
@click.option("--price-backup-gb", type=_AMOUNT, metavar="PRICE", help="For a GB of backup storage and month.")
@click.option("--no-free-allowance", is_flag=True, help="Other functions of the account use up what is free.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")
def cost(
    instances: int,
    events: float,
    kept: int | None,
    memory: tuple[str, ...],
    duration: tuple[str, ...],
    call_seconds: float,
    cold_start: float,
    calls_a_minute: int,
    backup_size: float | None,
    storage: float | None,
    price_million_requests: float | None,
    price_gb_second: float | None,
    price_backup_gb: float | None,
    no_free_allowance: bool,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Say what the functions of template.yaml cost in a month in which nothing goes wrong.

    Invocations follow from the timers, API calls from the instances; GB-seconds are memory by time, and the time is an
    estimate until you give what the log says. Money is computed from your prices: they differ by region. SMN, LTS and
    network traffic are billed by their own price lists, and not computed.

    \b
      ddsbackup cost --instances 40
      ddsbackup cost --instances 40 --duration create_backup=9.5 --price-gb-second 0.0000167
      ddsbackup cost --backup-size 20 --storage 100 --price-backup-gb 0.04
    """
    from cli.cost.assumptions import Assumptions
    from cli.cost.display import show_cost
    from cli.cost.document import cost_document
    from cli.cost.money import Prices, Storage, bill
    from cli.cost.month import plan_month
    from cli.cost.remarks import remarks

    if (backup_size is None) != (storage is None):
        raise WrongCall("found one of --backup-size and --storage, expected both or none")
    if price_backup_gb is not None and storage is None:
        raise WrongCall("found --price-backup-gb without sizes, expected --backup-size and --storage as well")
    template = load_template(template_file or find_template())
    assumptions = Assumptions(
        now=datetime.now(timezone.utc),
        instances=instances,
        events=events,
        call_seconds=call_seconds,
        cold_start=cold_start,
        calls_a_minute=calls_a_minute,
        memory=_by_function("--memory", memory, template),
        duration=_by_function("--duration", duration, template),
        kept=kept,
    )
    month = plan_month(template, assumptions)
    sizes = Storage(backup_size, storage) if backup_size is not None and storage is not None else None
    amounts = bill(
        month, Prices(price_million_requests, price_gb_second, price_backup_gb, not no_free_allowance), sizes
    )
    said = list(remarks(month, assumptions))
    if as_json:
        print(json.dumps(cost_document(month, assumptions, sizes, amounts, said)))
    else:
        show_cost(make_console(), month, assumptions, sizes, amounts, said)


def _by_function(option: str, values: tuple[str, ...], template: Template) -> dict[str, float]:
    """Read ``NAME=NUMBER`` and ``NUMBER``, which is for every function and stands under ""."""
    known = [function.name for function in template.functions]
    given: dict[str, float] = {}
    for value in values:
        name, _, number = value.rpartition("=")
        if name and name not in known:
            raise WrongCall(
                f"{option} {value}: no function {name!r}{did_you_mean(name, known)} Known: {', '.join(known)}"
            )
        try:
            given[name] = float(number)
        except ValueError:
            given[name] = 0.0
        if not 0 < given[name] < inf:
            raise WrongCall(f"{option} {value}: found {number!r}, expected a positive number")
    return given
