"""``ddsbackup demo``: one event of every trigger, a lost document that comes back, and two drills."""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
from rich.text import Text

from cli.cloud import Cloud, open_cloud
from cli.console import make_console
from cli.demo import drills
from cli.demo.display import ConsoleObserver, ConsoleTeller, NullObserver, NullTeller
from cli.demo.restore import lose_and_restore
from cli.demo.scenario import Observer, ScenarioResult, run_scenario
from cli.demo.stage import Story, Teller, open_stage
from cli.functions import function_settings, function_spec
from cli.json_value import Json, JsonObject
from cli.options import template_option
from cli.template.load import find_function, find_template, load_template
from cli.template.model import Function, Template
from localcloud.functiongraph.runtime.instance import Instance


FUNCTION = "create_backup"


@click.command(short_help="Show backups, a restore and drills on a local cloud.")
@template_option
@click.option("as_json", "--json", is_flag=True, help="Print one JSON document.")
def demo(template_file: Path | None, as_json: bool) -> None:
    """Show what the application does, on a local cloud that runs in this process and needs no account.

    First create_backup gets one sample event of every trigger. The output shows each event with the outcome of every
    instance, the notifications on the topic, the backups until they are COMPLETED, and the redelivery of an event,
    which creates no second backup. Then a document is lost, and comes back by a restore to a new instance. Then
    drill_backups restores two backups on its timer: it verifies one, and finds that the other one is damaged.

    The exit status is 0 only if all of this happened.
    """
    began = time.monotonic()
    template = load_template(template_file or find_template())
    functions = {name: find_function(template, name) for name in (FUNCTION, drills.FUNCTION)}
    console = make_console()
    log: list[str] = []
    stories: list[Story] = []
    with open_cloud() as cloud, ExitStack() as stack:
        create = stack.enter_context(_instance(functions[FUNCTION], template, cloud, {}, log))
        observer: Observer = NullObserver()
        teller: Teller = NullTeller()
        if not as_json:
            names = {str(found["id"]): str(found["name"]) for found in cloud.state()["instances"]}
            observer, teller = ConsoleObserver(console, names), ConsoleTeller(console)
            teller.heading(f"Events: one of every trigger, through {FUNCTION}, on {cloud.connection.endpoint}")
        result = run_scenario(cloud, create, observer)
        failures = list(result.failures())
        if not failures:
            stage = stack.enter_context(open_stage(cloud, teller))
            story, backups = lose_and_restore(stage, create)
            stories.append(story)
            if not story.failures:
                given = drills.settings(stage)
                drill = stack.enter_context(_instance(functions[drills.FUNCTION], template, cloud, given, log))
                stories += drills.drill(stage, drill, backups)
    failures += [failure for story in stories for failure in story.failures]
    if as_json:
        print(json.dumps(_document(result, stories, failures), ensure_ascii=False))
    if failures:
        print("\n".join([*log, *(f"FAILED {failure}" for failure in failures)]), file=sys.stderr)
        sys.exit(1)
    if not as_json:
        text = f"\nAll of it happened, in {time.monotonic() - began:.1f} s:\n{_totals(result)}"
        console.print(Text(text, "bold green"), soft_wrap=True)


def _instance(function: Function, template: Template, cloud: Cloud, given: dict[str, str], log: list[str]) -> Instance:
    settings = function_settings(function, template.topics, cloud.connection, given)
    return Instance(function_spec(function), settings, cloud.connection.project_id, log=log.append)


def _document(result: ScenarioResult, stories: Sequence[Story], failures: Sequence[str]) -> JsonObject:
    told: list[Json] = [story.as_json() for story in stories]
    happened: JsonObject = {"ok": not failures, "failures": list[Json](failures)}
    return {**result.as_json(), **happened, "restore": told[0] if told else None, "drills": told[1:]}


def _totals(result: ScenarioResult) -> str:
    messages = sum(len(delivery.messages) for delivery in result.deliveries)
    return (
        f"- {len(result.deliveries)} events, {len(result.backups)} backups, "
        f"{messages} job ids on the topic, none twice\n"
        "- a lost document is back from a backup\n"
        "- a drill has verified a backup, and another one has found a damaged backup"
    )
