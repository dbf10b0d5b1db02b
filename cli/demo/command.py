"""``ddsbackup demo``: deliver one event of every trigger, and show the result."""

import json
import sys
import time
from pathlib import Path

import click
from rich.text import Text

from cli.cloud import open_cloud
from cli.console import make_console
from cli.demo.display import ConsoleObserver, NullObserver
from cli.demo.scenario import ScenarioResult, run_scenario
from cli.functions import function_settings, function_spec
from cli.options import template_option
from cli.template.load import find_function, find_template, load_template
from localcloud.functiongraph.runtime.instance import Instance


FUNCTION = "create_backup"


@click.command(short_help="Deliver one event of every trigger to a local cloud.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")
def demo(template_file: Path | None, as_json: bool) -> None:
    """Deliver one sample event of every trigger to create_backup, on a local cloud that runs in this process.

    The output shows each event with the outcome of every instance, the notifications on the topic, the backups until
    they are COMPLETED, and the redelivery of an event, which creates no second backup. The exit status is 0 only if
    all of this happened.
    """
    began = time.monotonic()
    template = load_template(template_file or find_template())
    function = find_function(template, FUNCTION)
    with open_cloud() as cloud:
        settings = function_settings(function, template.topics, cloud.connection, {})
        log: list[str] = []
        with Instance(function_spec(function), settings, cloud.connection.project_id, log=log.append) as instance:
            if as_json:
                result = run_scenario(cloud, instance, NullObserver())
                print(json.dumps(result.as_json(), ensure_ascii=False))
            else:
                names = {str(found["id"]): str(found["name"]) for found in cloud.state()["instances"]}
                observer = ConsoleObserver(make_console(), names)
                observer.heading(
                    f"Events: one of every trigger, through {function.name}, on {cloud.connection.endpoint}"
                )
                result = run_scenario(cloud, instance, observer)
    failures = list(result.failures())
    if failures:
        print("\n".join([*log, *(f"FAILED {failure}" for failure in failures)]), file=sys.stderr)
        sys.exit(1)
    if not as_json:
        text = f"\nAll of it happened: {_totals(result)}, in {time.monotonic() - began:.1f} s."
        make_console().print(Text(text, "bold green"))


def _totals(result: ScenarioResult) -> str:
    messages = sum(len(delivery.messages) for delivery in result.deliveries)
    return (
        f"{len(result.deliveries)} events, {len(result.backups)} backups, {messages} job ids on the topic, none twice"
    )
