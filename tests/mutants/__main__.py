"""`make mutants`: changes the modules that decide about backups, one small change at a time, and runs their tests.

A mutant that no test finds survives. It is either a gap in the tests, or equivalent to the original: explained.yaml
lists those, each with the reason.

Exit status: 0 if each mutant is killed or explained, 1 if one survives or an explanation is stale.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutants.mutations import Identity, Mutant, mutants_of, read_explained, stale
from tests.mutants.trial import ROOT, passes


EXPLAINED = Path(__file__).parent / "explained.yaml"

TESTS = {
    "shared/identity.py": ("tests/test_identity.py",),
    "shared/create/creation.py": ("tests/create/test_creation.py", "tests/create/test_outcomes.py"),
    "shared/prune/retention.py": ("tests/prune/test_retention.py",),
    "shared/prune/plan.py": ("tests/prune/test_verdicts.py", "tests/prune/test_plan.py"),
    "shared/track/window.py": ("tests/track/test_window.py",),
    "shared/audit/audit.py": ("tests/audit/test_audit.py", "tests/audit/test_drills.py"),
    "shared/audit/drills.py": ("tests/audit/test_drills.py",),
    "shared/drills.py": ("tests/test_drills.py",),
    "shared/drill/schedule.py": ("tests/drill/test_schedule.py",),
    "shared/drill/lifecycle.py": ("tests/drill/test_lifecycle.py",),
    "shared/drill/interlocks.py": ("tests/drill/test_interlocks.py",),
}
"""The modules, with the tests that belong to each, the quickest to fail first."""


@dataclass(slots=True)
class Report:
    """What became of the mutants of a module. `stale` explains mutants that do not exist or that a test kills."""

    module: str
    mutants: int
    killed: int = 0
    explained: int = 0
    survived: list[Identity] = field(default_factory=list)
    stale: list[Identity] = field(default_factory=list)
    seconds: float = 0.0


def examine(module: str, explained: dict[Identity, str], console: Console) -> Report:
    """Run the tests of a module on each of its mutants.

    Raises:
        SystemExit: the tests fail on the module as it is.
    """
    source = (ROOT / module).read_text(encoding="utf-8")
    started = time.monotonic()
    if not passes(module, source, TESTS[module], timeout=300):
        raise SystemExit(f"{module}: its tests must pass before it is changed; see pytest {' '.join(TESTS[module])}")
    timeout = 20 + 10 * (time.monotonic() - started)
    mutants = mutants_of(module, source)
    report = Report(module, len(mutants))
    report.stale += stale((identity for identity in explained if identity.module == module), mutants)
    for mutant in track(mutants, module, console=console, transient=True):
        _judge(mutant, report, explained, survives=passes(module, mutant.source, TESTS[module], timeout))
    report.seconds = round(time.monotonic() - started)
    return report


def _judge(mutant: Mutant, report: Report, explained: dict[Identity, str], *, survives: bool) -> None:
    if survives and mutant.identity in explained:
        report.explained += 1
    elif survives:
        report.survived.append(mutant.identity)
    else:
        report.killed += 1
        if mutant.identity in explained:
            report.stale.append(mutant.identity)


def main() -> int:
    """Examine the modules and print what became of their mutants."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="The path of a module (default: all).")
    parser.add_argument("--json", action="store_true", help="Print the reports as JSON.")
    options = parser.parse_args()
    if unknown := [module for module in options.modules if module not in TESTS]:
        parser.error(f"MODULE must be one of {', '.join(TESTS)}; found {', '.join(unknown)}")
    progress = Console(stderr=True)
    explained = read_explained(EXPLAINED)
    reports = [examine(module, explained, progress) for module in options.modules or TESTS]
    if options.json:
        Console(soft_wrap=True).print_json(data=[asdict(report) for report in reports])
    else:
        _print(reports, Console(highlight=False, markup=False, soft_wrap=True))
    return int(any(report.survived or report.stale for report in reports))


def _print(reports: list[Report], console: Console) -> None:
    table = Table("module", *("mutants", "killed", "explained", "survived", "stale", "seconds"), box=None)
    for report in reports:
        counts = (report.mutants, report.killed, report.explained, len(report.survived), len(report.stale))
        table.add_row(report.module, *map(str, (*counts, round(report.seconds))))
    for line in _lines(reports):
        console.print(line)
    console.print(table)


def _lines(reports: list[Report]) -> Iterator[str]:
    for report in reports:
        for title, identities in (("survived", report.survived), ("stale in explained.yaml", report.stale)):
            for identity in identities:
                nth = f", number {identity.nth}" if identity.nth > 1 else ""
                yield f"{title}: {identity.module}, in {identity.place}{nth}"
                yield from (f"  - {line}" for line in identity.before.splitlines())
                yield from (f"  + {line}" for line in identity.after.splitlines())


if __name__ == "__main__":
    sys.exit(main())
