"""``ddsbackup simulate``: days of the application on a local cloud whose clock moves."""

import json
from datetime import datetime, timezone
from pathlib import Path

import click

from cli.console import make_console
from cli.errors import WrongCall
from cli.options import template_option


_AMOUNT = click.FloatRange(min=0)


@click.command(short_help="Play months of the application in simulated time, with faults.")
@click.option("--days", type=click.IntRange(1, 1100), default=90, show_default=True, help="How many days to play.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of made-up instances and pauses."
)
@click.option(
    "--instances", type=click.IntRange(1, 40), default=12, show_default=True, help="How many instances to make up."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instances, backups and policies from a seed file of the local cloud, instead of made-up ones.",
)
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="A story of what goes wrong, in YAML.")
@click.option(
    "--begin",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2026-01-01",
    show_default=True,
    help="The first day, which begins at midnight UTC.",
)
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A template parameter. Repeatable."
)
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="[FUNCTION.]NAME=VALUE",
    help="A setting to use instead of the template's, such as prune_backups.DRY_RUN=false. Repeatable.",
)
@click.option("--call-seconds", type=_AMOUNT, default=0.2, show_default=True, help="Duration of an API call.")
@click.option("--price-million-requests", type=_AMOUNT, metavar="PRICE", help="Price of 1,000,000 invocations.")
@click.option("--price-gb-second", type=_AMOUNT, metavar="PRICE", help="Price of a GB-second.")
@click.option("--price-backup-gb", type=_AMOUNT, metavar="PRICE", help="Price of a GB of backup storage per month.")
@click.option("--drill-hour-price", type=_AMOUNT, metavar="PRICE", help="Price of an hour of a drill's instance.")
@click.option("--no-free-allowance", is_flag=True, help="Other functions of the account use up the free allowance.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page, too.")
def simulate(
    days: int,
    seed: int,
    instances: int,
    state: Path | None,
    faults: Path | None,
    begin: datetime,
    parameters: tuple[str, ...],
    settings: tuple[str, ...],
    call_seconds: float,
    price_million_requests: float | None,
    price_gb_second: float | None,
    price_backup_gb: float | None,
    drill_hour_price: float | None,
    no_free_allowance: bool,
    template_file: Path | None,
    as_json: bool,
    html: Path | None,
) -> None:
    """Play days of the application that template.yaml describes, in simulated time on a local cloud.

    The functions' own code runs, with the template's settings and timers. Nothing is deployed and nothing outside this
    process is called. The same seed gives the same output.

    \b
      ddsbackup simulate --days 90 --setting prune_backups.DRY_RUN=false
      ddsbackup simulate --faults docs/stories/smn-down.yaml --html story.html
    """
    from cli.cost.month import Prices
    from cli.simulate.display import make_progress, show, show_times
    from cli.simulate.document import as_document
    from cli.simulate.faults import Story, read_story
    from cli.simulate.run import Options
    from cli.simulate.run import simulate as play
    from cli.template.load import find_template

    options = Options(
        template=template_file or find_template(),
        begin=begin.replace(tzinfo=timezone.utc),
        days=days,
        seed=seed,
        instances=instances,
        state=state,
        story=read_story(faults) if faults else Story(),
        parameters=_pairs("--parameter", parameters),
        settings=_pairs("--setting", settings),
        call_seconds=call_seconds,
        prices=Prices(
            price_million_requests,
            price_gb_second,
            price_backup_gb,
            drill_hour_price,
            is_free_left=not no_free_allowance,
        ),
    )
    errors = make_console(stderr=True)
    with make_progress(errors, days) as on_day:
        summary, platform = play(options, on_day)
    if html:
        from cli.simulate.page import render

        try:
            html.write_text(render(summary, platform, seed), encoding="utf-8")
        except OSError as error:
            raise WrongCall(f"cannot write the page {html}: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps(as_document(summary, platform, seed), indent=2))
        return
    show(make_console(), summary, platform, seed)
    show_times(errors, platform)


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise WrongCall(f"{option}: found {text!r}, expected NAME=VALUE")
        pairs[name] = value
    return pairs
