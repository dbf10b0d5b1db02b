"""The demo for people: each step as it happens."""

import json
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from cli.backups.display import WIDTH
from cli.demo.scenario import BackupWatch, Delivery
from cli.demo.stage import Step
from cli.json_value import JsonObject


COLOURS = {"CREATED": "green", "ALREADY_EXISTS": "cyan", "SKIPPED": "yellow", "DEFERRED": "yellow", "FAILED": "red"}
FRAME = 0.04
"""Seconds for which a terminal shows each step of the clock."""

SUMMARIES: dict[str, Callable[[Any], str]] = {
    "timer": lambda event: f"{event['trigger_name']} at {event['time']}",
    "smn": lambda event: f"{len(event['record'])} messages, the first: {event['record'][0]['smn']['subject']}",
    "kafka": lambda event: f"topic {event['records'][0]['topic_id']} of DMS for Kafka",
    "opensource-kafka": lambda event: f"topic {event['records'][0]['topic_id']} of Apache Kafka",
    "rabbitmq": lambda event: f"exchange {event['records'][0]['exchange']}",
    "rocketmq": lambda event: f"topic {event['records'][0]['topic_id']}",
    "eventgrid": lambda event: f"{event['type']} from {event['source']}",
    "apig": lambda event: f"{event['httpMethod']} {event['path']}",
    "direct": lambda event: f"a call that names {len(event['instance_ids'])} instance",
    "api-page": lambda event: f"the body of the DDS API, backup {event['backup']['name']}",
}
"""A short description of the sample event of each trigger."""


class NullObserver:
    """Shows nothing."""

    def delivered(self, delivery: Delivery) -> None: ...
    def clock_moves(self, watch: BackupWatch) -> None:
        watch.until_done(lambda: None)

    def notified(self, deliveries: Sequence[Delivery]) -> None: ...
    def completed(self, watch: BackupWatch) -> None: ...
    def redelivered(self, delivery: Delivery, new_backups: int) -> None: ...


class NullTeller:
    """Shows no story."""

    def heading(self, text: str) -> None: ...
    def happened(self, step: Step, style: str = "") -> None: ...
    def mailed(self, text: str) -> None: ...


class ConsoleTeller:
    """Prints the stories to *console*, in lines of at most 80 columns."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def heading(self, text: str) -> None:
        self._console.print(Text(f"\n{text}", style="bold"), soft_wrap=True)

    def happened(self, step: Step, style: str = "") -> None:
        start = f"  {step.time:%H:%M}  {step.who:<15}"
        lines = _wrapped(f"{start}{step.what}", " " * len(start))
        line = Text("\n".join(lines), style=style)
        line.stylize("dim", 0, 7)
        self._console.print(line, soft_wrap=True)

    def mailed(self, text: str) -> None:
        self._console.print(Text("\nThe e-mail that a person gets:\n", style="dim"))
        for line in text.splitlines():
            indent = len(line) - len(line.lstrip()) + 2
            lines = _wrapped(f"  | {line}", f"  | {' ' * indent}") if line else ["  |"]
            self._console.print(Text("\n".join(lines)), soft_wrap=True)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


class ConsoleObserver:
    """Prints to *console*. *names* are the names of the instances by their ids."""

    def __init__(self, console: Console, names: Mapping[str, str]) -> None:
        self._console = console
        self._names = names

    def heading(self, text: str) -> None:
        self._console.print(Text(f"\n{text}", style="bold"))

    def delivered(self, delivery: Delivery) -> None:
        report = delivery.invocation.report
        took = f"{report.duration_ms:.0f} ms"
        if report.init_duration_ms is not None:
            took = f"cold start {report.init_duration_ms:.0f}+{took}"
        summary = SUMMARIES[delivery.trigger](delivery.event)
        self._console.print(
            Text.assemble((f"\n{delivery.trigger:<17}", "bold cyan"), summary, (f"  ({took})", "dim")), soft_wrap=True
        )
        self._results(delivery)

    def clock_moves(self, watch: BackupWatch) -> None:
        before = watch.seconds
        columns = (TextColumn("  {task.description:<18}"), BarColumn(), TaskProgressColumn())
        with Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        ) as progress:
            bars: dict[str, TaskID] = {}

            def show() -> None:
                for backup in watch.backups.values():
                    if backup.id not in bars and backup.statuses[-1] == "BUILDING":
                        bars[backup.id] = progress.add_task(backup.instance_name, total=100)
                    if backup.id in bars:
                        done = 100 if backup.statuses[-1] == "COMPLETED" else backup.progress
                        progress.update(bars[backup.id], completed=done)
                if self._console.is_terminal:
                    time.sleep(FRAME)

            watch.until_done(show)
        moved = f"The clock advances by {watch.seconds - before:.0f} s"
        self._console.print(f"\n{moved}: {len(bars)} backups are done, their instances free again.", soft_wrap=True)

    def notified(self, deliveries: Sequence[Delivery]) -> None:
        messages = [message for delivery in deliveries for message in delivery.messages]
        self.heading(f"Notifications: {len(messages)} messages arrived on the topic")
        if not messages:
            return
        self._console.print(Text(f"{messages[0]['topic_urn']}\n", style="dim"), soft_wrap=True)
        table = self._table("Type", "Instance", "Job")
        for message in messages:
            event = json.loads(str(message["message"]))
            data = event["data"]
            instance_id = str(data.get("instance_id"))
            table.add_row(event["type"], self._names.get(instance_id, instance_id), str(data.get("job_id")))
        self._console.print(table)
        self._received(messages[0])

    def completed(self, watch: BackupWatch) -> None:
        self.heading(f"Backups: {len(watch.backups)}, after {watch.seconds:.0f} s of the cloud's time")
        table = self._table("Backup", "Status")
        for backup in watch.backups.values():
            style = "green" if backup.statuses[-1] == "COMPLETED" else "red"
            table.add_row(backup.name, Text(" → ".join(backup.statuses), style=style))
        self._console.print(table)

    def redelivered(self, delivery: Delivery, new_backups: int) -> None:
        self.heading(f"The first event again: {new_backups or 'no'} new backups")
        self.delivered(delivery)

    def _results(self, delivery: Delivery) -> None:
        table = self._table("", "", "")
        table.show_header = False
        table.columns[1].min_width = max(map(len, self._names.values()))
        for result in delivery.results:
            outcome = Text(result["outcome"], style=COLOURS.get(result["outcome"], ""))
            ids = Text.assemble(
                ("job     ", "dim"), f"{result.get('job_id')}", ("\nbackup  ", "dim"), f"{result.get('backup_id')}"
            )
            if result.get("message"):
                ids.append(f"\n{result['message']}")
            table.add_row(outcome, self._names.get(result["instance_id"], result["instance_id"]), ids)
        self._console.print(table)
        if delivery.invocation.error:
            error = delivery.invocation.error
            self._console.print(Text(f"  {error.error_type}: {error.error_message}", style="red"), soft_wrap=True)

    def _table(self, *columns: str) -> Table:
        table = Table(box=None, padding=(0, 0, 0, 2), header_style="dim")
        for column in columns:
            table.add_column(column, overflow="fold")
        return table

    def _received(self, message: JsonObject) -> None:
        """Print *message* as e-mail subscribers receive it, and the protocols of the other subscribers."""
        deliveries: Any = message["deliveries"]
        for delivery in deliveries:
            if delivery["protocol"] == "email":
                self._console.print(Text(f"\nThe first one as {delivery['endpoint']} receives it:\n", style="dim"))
                lines = delivery["content"]["message"].splitlines()
                self._console.print(Text("\n".join(f"  | {line}" for line in lines)), soft_wrap=True)
        others = ", ".join(d["protocol"] for d in deliveries if d["protocol"] != "email")
        if others:
            self._console.print(Text(f"\nSubscribers by {others} received it too.", style="dim"), soft_wrap=True)
