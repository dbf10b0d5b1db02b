"""CPU and memory of the largest events: `python -m tests.bench.large`.

Each event has up to the 6 MB that FunctionGraph takes (FunctionGraph, Notes and Constraints). Each function handles
each in a process of its own, after a small event. DDS and SMN are fakes. Memory is what the handler needs at its peak
in addition to the idle function and the parsed event, which the runtime of FunctionGraph holds. The exit code is 1 if
an event takes more than the limits.
"""

import argparse
import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.fakes import A
from tests.triggers import documented as doc


CPU = 1.0  # seconds
MEMORY = 100.0  # MB
SIZE = 6_000_000
MESSAGES = 1000
FUNCTIONS = ("create_backup", "track_backups", "prune_backups", "audit_backups", "drill_backups")


def repeated(item: object, characters: int = SIZE) -> list[Any]:
    """Return as many copies as give that many characters of JSON."""
    return [item] * (characters // (len(json.dumps(item)) + 2))


def batch(payload: object) -> dict[str, Any]:
    """Return a batch of a queue with 1,000 messages."""
    return doc.kafka(*[json.dumps(payload)] * MESSAGES)


def deep(levels: int) -> object:
    """Return lists in lists."""
    inner: object = 1
    for _ in range(levels):
        inner = [inner]
    return inner


_SHARE = SIZE // MESSAGES - 100  # characters of one message of a batch
_EACH = range(MESSAGES)

EVENTS: dict[str, Callable[[], Any]] = {
    "a text without meaning": lambda: "x" * SIZE,
    "a list of numbers": lambda: repeated(1),
    "a list of empty objects": lambda: repeated({}),
    "unknown keys": lambda: {f"key{number}": number for number in range(SIZE // 22)},
    "a field and unknown keys": lambda: {"instance_id": A} | {f"key{number}": number for number in range(SIZE // 22)},
    "one SMN message, a long text": lambda: doc.smn(doc.smn_record("x" * SIZE)),
    "one SMN message, many ids": lambda: doc.smn(doc.smn_record(json.dumps({"instance_ids": repeated("")}))),
    "one SMN message, one long line of brackets": lambda: doc.smn(doc.smn_record("[" * SIZE)),
    "SMN records that are no records": lambda: {"record": [doc.smn_record(), *repeated({})]},
    "SMN records without a message": lambda: {"record": repeated({"event_source": "smn", "smn": {}})},
    "Kafka messages without meaning, empty": lambda: doc.kafka(*repeated("")),
    "1,000 Kafka messages without meaning": lambda: doc.kafka(*["x" * _SHARE] * MESSAGES),
    "1,000 Kafka messages of wrong ids": lambda: batch({"instance_ids": repeated("", _SHARE)}),
    "1,000 Kafka messages of unknown keys": lambda: batch({f"k{number}": 1 for number in range(_SHARE // 12)}),
    "1,000 Kafka messages, one long key each": lambda: batch({"x" * _SHARE: 1}),
    "1,000 Kafka messages, retention": lambda: batch({"retention": "x=1 " * 50}),
    "1,000 Kafka messages that are objects": lambda: doc.kafka(*[{"instance_ids": repeated("", _SHARE)}] * MESSAGES),
    "Kafka records without messages": lambda: doc.kafka() | {"records": repeated({})},
    "1,000 Kafka messages of different ids": lambda: doc.kafka(
        *[json.dumps({"dry_run": True, "instance_ids": [f"{n:016x}{k:016x}in02" for k in range(140)]}) for n in _EACH]
    ),
    "1,000 Kafka messages of different keys": lambda: doc.kafka(
        *[json.dumps({"idempotency_key": str(number)}) for number in _EACH]
    ),
    "1,000 Kafka messages, drills now": lambda: doc.kafka(
        *[json.dumps({"instance_ids": [f"{n:032x}in02"], "at": "2026-11-24T02:59:00Z"}) for n in _EACH]
    ),
    "1,000 Kafka messages of expectations": lambda: batch(
        {"expect": {f"i{n}": {f"db{k}": 1 for k in range(50)} for n in range(_SHARE // 600)}}
    ),
    "6 MB of expectations": lambda: {"expect": {f"i{n}": {f"db{k}": 1 for k in range(50)} for n in range(10_000)}},
    "10,000 ids": lambda: {"instance_ids": [f"{number:032x}in02" for number in range(10_000)]},
    "6 MB of ids": lambda: {"instance_ids": repeated(A)},
    "6 MB of empty ids": lambda: {"instance_ids": repeated("")},
    "40,000 exclude patterns": lambda: {"select": {"name": "*", "exclude": [f"*{n}*" for n in range(40_000)]}},
    "90,000 policies": lambda: {
        "policies": [{"name": f"p{n}", "select": {"name": "*"}, "expected_interval": "1d"} for n in range(90_000)]
    },
    "1.2 million words of retention": lambda: {"retention": "a=1 " * 1_200_000},
    "nested 900 levels deep": lambda: {"instance_ids": deep(900)},
    "6 MB nested 19 levels deep": lambda: {"instance_ids": repeated(deep(19))},
    "6 MB of base64 through a gateway": lambda: doc.apig("x" * (SIZE * 3 // 4)),
    "6 MB of base64 that is none": lambda: doc.apig() | {"body": "é" * (SIZE // 2)},
    "6 MB of base64 that is no UTF-8": lambda: doc.apig() | {"body": base64.b64encode(b"\xff" * 4_000_000).decode()},
    "6 MB of headers": lambda: doc.apig(headers={f"h{number}": "x" for number in range(SIZE // 15)}),
    "a CloudEvent of base64": lambda: doc.eventgrid(
        None, data_base64=base64.b64encode(b"[" * (SIZE * 3 // 4)).decode()
    ),
    "CloudEvents in a list": lambda: repeated(doc.eventgrid({"instance_ids": []})),
    "CloudEvents that are none": lambda: repeated({"specversion": 1}),
    "a user event of a timer": lambda: doc.timer({"instance_ids": repeated("x")}),
    "a notification of ours, wrapped": lambda: doc.kafka(
        json.dumps({"specversion": "1.0", "x": "dds.backup." * 500_000})
    ),
}


def _status(name: str) -> float:
    """Return a figure of this process's memory in MB (man 5 proc)."""
    match = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(match[1]) / 1024 if match else 0.0


def measure(kind: str, function: str) -> dict[str, Any]:
    """Let a function handle an event in this process. Returns the CPU seconds and the MB above the idle function."""
    from tests.fuzz.target import Target  # the process that prints the table does not need it

    target = Target()
    target.handle(function, doc.smn(doc.smn_record("{}")))
    event = json.loads(json.dumps(EVENTS[kind]()))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before, began = _status("VmRSS"), time.process_time()
    handled = target.handle(function, event)
    spent = time.process_time() - began
    return {"cpu": spent, "memory": _status("VmHWM") - before, "kind": handled.kind, "error": repr(handled.error)}


def main() -> int:
    """Measure every event with every function, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.large", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--function", choices=FUNCTIONS, action="append", help="only this function; repeatable")
    parser.add_argument("--one", nargs=2, metavar=("EVENT", "FUNCTION"), help="measure in this process")
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measure(*options.one)))
        return 0
    progress, found = Console(stderr=True), []
    for kind in EVENTS:
        for function in options.function or FUNCTIONS:
            progress.print(f"[dim]{kind}: {function}[/dim]")
            call = [sys.executable, "-m", "tests.bench.large", "--one", kind, function]
            done = subprocess.run(call, capture_output=True, text=True, check=True)
            found.append({"event": kind, "function": function, **json.loads(done.stdout)})
    above = [row for row in found if row["cpu"] > CPU or row["memory"] > MEMORY]
    if options.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return 1 if above else 0
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(
        title=f"The largest events: the worst of the five functions (limits: {CPU:.0f} s of CPU, {MEMORY:.0f} MB)"
    )
    for heading in ("event", "CPU", "ratio to the limit", "memory", "ratio to the limit"):
        table.add_column(heading, justify="left" if heading == "event" else "right")
    for kind in EVENTS:
        cpu = max(row["cpu"] for row in found if row["event"] == kind)
        memory = max(row["memory"] for row in found if row["event"] == kind)
        table.add_row(kind, f"{cpu:.2f} s", f"{cpu / CPU:.2f}", f"{memory:.0f} MB", f"{memory / MEMORY:.2f}")
    console.print(table)
    for row in above:
        console.print(f"ABOVE: {row['event']}, {row['function']}: {row['cpu']:.2f} s, {row['memory']:.0f} MB")
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
