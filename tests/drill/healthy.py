"""`python -m tests.drill.healthy`: random healthy drills without a false alarm, and every fault of content found.

Exit status: 0 if every healthy drill is verified, and every fault is found when level 2 has a canary and the request
expects documents; 1 otherwise.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import click
from rich.console import Console
from rich.table import Table

from shared.drill.checks import Inspection, Verdict
from shared.drill.databases import DrillInspector
from shared.drill.documents import DocumentChecks, DocumentRules
from shared.retry import Deadline
from tests.drill.contents import CANARY, FAULTS, Drill, FakeDocuments, connecting, draw_drill, listed
from tests.fakes import START, FakeClock


RPO = timedelta(hours=1)
ARRANGEMENTS = ("levels 0 and 1", "level 2", "level 2, canary", "level 2, canary, expect")
FULL = ARRANGEMENTS[-1]


def inspect(drill: Drill, arrangement: str) -> Inspection:
    """Make the checks of a drill, as one of the arrangements."""
    clock = FakeClock()
    clock.seconds = (drill.time - START).total_seconds()
    contents = {"source": drill.now, "copy": drill.copy}
    rules = DocumentRules(rpo=RPO, canary=CANARY) if "canary" in arrangement else DocumentRules()
    documents = DocumentChecks(rules, clock, connecting(FakeDocuments(drill.copy)))
    drill = drill if "expect" in arrangement else replace(drill, expect={})
    inspector = DrillInspector(
        lambda instance_id: listed(contents[instance_id]),
        clock,
        documents=None if arrangement == ARRANGEMENTS[0] else documents,
    )
    return inspector.inspect(drill.drilled(), Deadline.after(900, clock))


@dataclass
class Tally:
    """How random drills ended.

    Attributes:
        alarms: of healthy drills: their numbers, for each arrangement.
        found: of each fault and arrangement, how many were found, by the lowest level that found them.
        missed: the numbers of the drills whose fault was not found, of each fault and arrangement.
    """

    drills: int = 0
    alarms: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in ARRANGEMENTS})
    found: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    missed: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether there was no false alarm, and no fault was missed by the full arrangement."""
        return not any(self.alarms.values()) and not any(self.missed.get((fault, FULL)) for fault in FAULTS)


def run(numbers: Iterable[int], seed: int = 1) -> Tally:
    """Make the drills of these numbers, healthy and with each fault, in each arrangement."""
    tally = Tally()
    for number in numbers:
        tally.drills += 1
        rng = random.Random(f"{seed} {number}")
        drill = draw_drill(rng)
        wrong = {name: fault(drill, rng) for name, fault in FAULTS.items()}
        for arrangement in ARRANGEMENTS:
            if inspect(drill, arrangement).verdict is not Verdict.VERIFIED:
                tally.alarms[arrangement].append(number)
            for fault, one in wrong.items():
                failed = [check.level for check in inspect(one, arrangement).checks if check.passed is False]
                if failed:
                    tally.found[fault, arrangement, min(failed)] += 1
                else:
                    tally.missed.setdefault((fault, arrangement), []).append(number)
    return tally


def _table(tally: Tally) -> Table:
    table = Table("fault", *ARRANGEMENTS, box=None)
    table.columns[0].no_wrap = True
    table.add_row("none (alarms)", *(str(len(tally.alarms[name])) for name in ARRANGEMENTS))
    for fault in FAULTS:
        cells = []
        for arrangement in ARRANGEMENTS:
            levels = {level: tally.found[fault, arrangement, level] for level in (0, 1, 2)}
            by = ", ".join(f"L{level}: {count}" for level, count in levels.items() if count)
            cells.append(f"{sum(levels.values())}\n{by}")
        table.add_row(fault, *cells)
    return table


@click.command()
@click.option("--drills", default=1000, show_default=True, type=click.IntRange(min=1), help="How many drills.")
@click.option("--seed", default=1, show_default=True, help="Draw the same drills again.")
@click.option("--only", default=None, type=click.IntRange(min=0), help="Make the drill of this number alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(*, drills: int, seed: int, only: int | None, as_json: bool) -> None:
    """Check random drills: the healthy ones for false alarms, the others for what they do not find."""
    tally = run(range(drills) if only is None else [only], seed)
    if as_json:
        found = {
            fault: {name: sum(tally.found[fault, name, level] for level in (0, 1, 2)) for name in ARRANGEMENTS}
            for fault in FAULTS
        }
        click.echo(json.dumps({"drills": tally.drills, "false_alarms": tally.alarms, "found": found}))
    else:
        console = Console()
        console.print(f"{tally.drills} drills, each healthy and with each fault. How many were found, by which level:")
        console.print(_table(tally))
        for name, numbers in tally.alarms.items():
            if numbers:
                console.print(f"False alarms with {name}: drills {numbers[:10]}")
        for fault in FAULTS:
            if missed := tally.missed.get((fault, FULL)):
                console.print(f"Not found with {FULL}: {fault} in drills {missed[:10]}")
    sys.exit(0 if tally.is_good else 1)


if __name__ == "__main__":
    main()
