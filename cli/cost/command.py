"""``ddsbackup cost``: what the application costs in a month."""

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


@click.command(short_help="Estimate the monthly cost: invocations, GB-seconds, API calls.")
@click.option(
    "--instances", type=click.IntRange(min=1), default=1, help="Instances that each event backs up. Default: 1."
)
@click.option(
    "--events", type=_AMOUNT, default=0.0, help="Events a month of each trigger that is not a timer. Default: 0."
)
@click.option("--kept", type=_COUNT, help="Backups kept of each instance. Default: as many as RETENTION keeps.")
@click.option(
    "--memory", multiple=True, metavar="[FUNCTION=]MB", help="Memory to use instead of the template's. Repeatable."
)
@click.option(
    "--duration",
    multiple=True,
    metavar="[FUNCTION=]SECONDS",
    help="Measured duration of an invocation to use instead of the estimate. Repeatable.",
)
@click.option("--call-seconds", type=_AMOUNT, default=0.2, help="Duration of an API call. Default: 0.2.")
@click.option("--cold-start", type=_AMOUNT, default=1.0, help="Seconds until the handler starts. Default: 1.")
@click.option(
    "--calls-a-minute",
    type=click.IntRange(min=1),
    default=60,
    help="Rate limit of DDS. Default: 60, as documented for RDS and DDM. DDS documents none.",
)
@click.option("--backup-size", type=_AMOUNT, metavar="GB", help="Size of one backup. Requires --storage.")
@click.option(
    "--storage",
    type=_AMOUNT,
    metavar="GB",
    help="Storage of one instance, up to which its backups are free. Requires --backup-size.",
)
@click.option(
    "--price-million-requests", type=_AMOUNT, metavar="PRICE", help="Price of 1,000,000 invocations in your region."
)
@click.option("--price-gb-second", type=_AMOUNT, metavar="PRICE", help="Price of a GB-second in your region.")
@click.option("--price-backup-gb", type=_AMOUNT, metavar="PRICE", help="Price of a GB of backup storage per month.")
@click.option(
    "--drill-hour-price",
    type=_AMOUNT,
    metavar="PRICE",
    help="Price of an hour of the instance of a restore drill, with its storage.",
)
@click.option(
    "--drill-hours",
    type=_AMOUNT,
    metavar="HOURS",
    help="How long the instance of a drill lives. Default: half an hour, and the restore of --backup-size at 40 MB/s.",
)
@click.option("--no-free-allowance", is_flag=True, help="Other functions of the account use up the free allowance.")
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
    drill_hour_price: float | None,
    drill_hours: float | None,
    no_free_allowance: bool,
    template_file: Path | None,
    as_json: bool,
) -> None:
    """Estimate what the functions in template.yaml cost in a month without failures.

    The timers determine the invocations, the instances the API calls. GB-seconds are memory multiplied by time, which
    is an estimate unless you give the duration from the log. Amounts are computed from your prices, since they differ
    by region. SMN, LTS and network traffic have their own price lists and are not included.

    \b
      ddsbackup cost --instances 40
      ddsbackup cost --instances 40 --duration create_backup=9.5 --price-gb-second 0.0000167
      ddsbackup cost --backup-size 20 --storage 100 --price-backup-gb 0.04
      ddsbackup cost --instances 40 --backup-size 20 --storage 100 --drill-hour-price 0.35
    """
    from cli.cost.display import as_document, remarks, show
    from cli.cost.inputs import Assumptions
    from cli.cost.month import Prices, Storage, bill, plan_month

    if (backup_size is None) != (storage is None):
        raise WrongCall("found only one of --backup-size and --storage, expected both or neither")
    if price_backup_gb is not None and storage is None:
        raise WrongCall("found --price-backup-gb alone, expected --backup-size and --storage, too")
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
        backup_gb=backup_size or 0.0,
        drill_hours=drill_hours,
    )
    month = plan_month(template, assumptions)
    sizes = Storage(backup_size, storage) if backup_size is not None and storage is not None else None
    prices = Prices(price_million_requests, price_gb_second, price_backup_gb, drill_hour_price, not no_free_allowance)
    amounts = bill(month, prices, sizes)
    notes = list(remarks(month, assumptions))
    if as_json:
        print(json.dumps(as_document(month, assumptions, sizes, amounts, notes)))
    else:
        show(make_console(), month, assumptions, sizes, amounts, notes)


def _by_function(option: str, values: tuple[str, ...], template: Template) -> dict[str, float]:
    """Parse ``NAME=NUMBER`` and ``NUMBER``, which stands for every function and has the key ""."""
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
