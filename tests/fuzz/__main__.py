"""`make fuzz EVENTS=1000000`: hostile events through the handlers of the five functions, judged by an oracle.

Each event is small and odd, and the same seed draws the same events. An event that breaks a rule is made smaller and
written to tests/fuzz/corpus, which the suite runs. The exit code is 1 if a rule was broken.
"""

import argparse
import hashlib
import json
import pickle
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.fuzz.events import draw
from tests.fuzz.oracle import check
from tests.fuzz.shrink import shrink
from tests.fuzz.target import Target


CORPUS = Path(__file__).parent / "corpus"
CHUNK = 2000


@dataclass
class Part:
    """What a part of the events led to.

    Attributes:
        outcomes: the events by function and by whether they had valid requests.
        broken: an example of each broken rule, by rule and what was found, with its number.
        times: how often each was broken.
        slowest: the CPU seconds and the number of the slowest event that FunctionGraph would deliver.
    """

    events: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: dict[tuple[str, str], tuple[int, str, Any]] = field(default_factory=dict)
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)

    def add(self, other: "Part") -> None:
        """Add another part."""
        self.events += other.events
        self.outcomes += other.outcomes
        self.broken = other.broken | self.broken
        self.times += other.times
        self.slowest = max(self.slowest, other.slowest)


def run_part(seed: str, first: int, count: int) -> Part:
    """Handle the events from number `first` on. An event that breaks a rule is made smaller."""
    target, part = Target(), Part(events=count)
    for number in range(first, first + count):
        drawn = draw(seed, number)
        began = time.process_time()
        handled = target.handle(drawn.function, drawn.event)
        took = time.process_time() - began
        if took > part.slowest[0] and fits_functiongraph(drawn.event):
            part.slowest = (took, number)
        part.outcomes[drawn.function, handled.kind] += 1
        for broken in check(handled, is_ours=drawn.is_ours):
            part.times[broken] += 1
            if broken not in part.broken:

                def fails(event: Any, function: str = drawn.function, rule: str = broken[0]) -> bool:
                    return rule in {name for name, _ in check(target.handle(function, event))}

                event = shrink(drawn.event, fails) if fails(drawn.event) else drawn.event
                part.broken[broken] = (number, drawn.function, _portable(event))
    return part


def fits_functiongraph(event: Any) -> bool:
    """Whether an event has at most the 6 MB that FunctionGraph delivers (FunctionGraph, Notes and Constraints)."""
    room, left = 6 * 1024 * 1024, [event]
    while left and room >= 0:
        value = left.pop()
        room -= len(value) if isinstance(value, str) else 1
        if isinstance(value, dict):
            left.extend([*value, *value.values()])
        elif isinstance(value, list):
            left.extend(value)
    return room >= 0


def _portable(event: Any) -> Any:
    """Return an event, or a text if it is nested too deep to be passed between processes."""
    try:
        pickle.dumps(event)
    except RecursionError:
        return "nested too deep to be written: draw the event again by its number"
    return event


def parts(seed: str, events: int, processes: int) -> Iterator[Part]:
    """Handle the events in several processes; yield each part when it is done."""
    chunks = [(first, min(CHUNK, events - first)) for first in range(0, events, CHUNK)]
    if processes == 1:
        yield from (run_part(seed, *chunk) for chunk in chunks)
        return
    with ProcessPoolExecutor(processes) as pool:
        for future in as_completed([pool.submit(run_part, seed, *chunk) for chunk in chunks]):
            yield future.result()


def write(found: Part, folder: Path) -> list[Path]:
    """Write each example to the corpus; return the files."""
    paths = []
    for (rule, text), (_, function, event) in found.broken.items():
        body = json.dumps(event)
        path = folder / f"found-{rule.replace('_', '-')}-{hashlib.sha256(body.encode()).hexdigest()[:8]}.json"
        entry = {"what": f"{rule}: {text} ({function})", "event": event}
        path.write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def main() -> int:
    """Handle the events, print what they led to, and write what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=20_000, help="how many events (default: 20,000)")
    parser.add_argument(
        "--seed", default=secrets.token_hex(4), help="draws the events (default: another one each time)"
    )
    parser.add_argument("--processes", type=int, default=1, help="how many processes (default: 1)")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="where to write what breaks a rule")
    options = parser.parse_args()
    progress, console = Console(stderr=True), Console(width=None if sys.stdout.isatty() else 120)
    progress.print(f"seed {options.seed}")
    began, found = time.monotonic(), Part()
    with Progress(console=progress, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("events", total=options.events)
        for part in parts(options.seed, options.events, options.processes):
            found.add(part)
            bar.update(task, completed=found.events)
            if not sys.stderr.isatty():
                progress.print(f"{found.events:,} events, {sum(found.times.values()):,} violations")
    took = time.monotonic() - began
    table = Table(title=f"{found.events:,} hostile events in {took:,.0f} s, seed {options.seed}")
    kinds = sorted({kind for _, kind in found.outcomes})
    table.add_column("function")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for function in sorted({name for name, _ in found.outcomes}):
        table.add_row(function, *(f"{found.outcomes[function, kind]:,}" for kind in kinds))
    console.print(table)
    seconds, number = found.slowest
    console.print(f"Slowest event: number {number}, {seconds:.2f} s of CPU")
    for (rule, text), times in found.times.most_common():
        console.print(f"BROKEN {times:,} times, first seen at number {found.broken[rule, text][0]}: {rule}: {text}")
    for path in write(found, options.corpus):
        console.print(f"wrote {path.name}")
    console.print(f"{sum(found.times.values()):,} violations")
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
