"""``ddsbackup demo``: one event of every trigger, and what becomes of it."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from cli.cloud import open_cloud
from cli.console import make_console
from cli.demo.backups import BackupWatch
from cli.demo.console_observer import ConsoleObserver
from cli.demo.delivery import Delivery
from cli.demo.scenario import ScenarioResult, run_scenario
from cli.function_spec import function_spec
from cli.options import template_option
from cli.settings import function_settings
from cli.template.load import find_function, find_template, load_template
from localcloud.functiongraph.runtime.instance import Instance


FUNCTION = "create_backup"


class NullObserver:
    """Shows nothing."""

    def delivered(self, delivery: Delivery) -> None: ...
    def clock_moves(self, watch: BackupWatch) -> None:
        watch.until_all_are_made(lambda: None)

    def notified(self, deliveries: Sequence[Delivery]) -> None: ...
    def made(self, watch: BackupWatch) -> None: ...
    def redelivered(self, delivery: Delivery, new_backups: int) -> None: ...


@click.command(short_help="Send one event of every trigger and see what happens.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")
def demo(template_file: Path | None, as_json: bool) -> None:
    """Send one sample event of every trigger through create_backup, on an embedded local cloud.

    Shows each event with the outcome of every instance, the notifications on the topic, the backups until they are
    COMPLETED, and that an event which is delivered twice makes no second backup. The exit status is 0 only when all
    of it happened.
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
        make_console().print(
            Text(f"\nAll of it happened: {_sum(result)}, in {time.monotonic() - began:.1f} s.", "bold green")
        )


def _sum(result: ScenarioResult) -> str:
    messages = sum(len(delivery.messages) for delivery in result.deliveries)
    return (
        f"{len(result.deliveries)} events, {len(result.backups)} backups, {messages} job ids on the topic, none twice"
    )
