"""`make chaos`: function processes on a local cloud that fails, kills and repeats, judged by an oracle from the docs.

Exit status: 0 if no rule was broken and every mutant was found, 1 otherwise.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tests.chaos.mutants import MUTANTS, stage
from tests.chaos.rounds import KINDS, Played, Totals, run


_LOG_LINES = 400


@click.command()
@click.option("--minutes", default=5.0, show_default=True, type=click.FloatRange(min=0), help="How long to play.")
@click.option("--seed", default=None, type=int, help="Draw the same rounds again. Default: the time.")
@click.option("--round", "number", default=None, type=click.IntRange(min=0), help="Play this round alone.")
@click.option("--only", default=",".join(KINDS), show_default=True, help="Kinds of rounds, separated by commas.")
@click.option("--workers", default=3, show_default=True, type=click.IntRange(1, 16), help="Rounds at a time.")
@click.option("--mutant", default=None, type=click.Choice(sorted(MUTANTS)), help="Plant a fault in a copy of the code.")
@click.option("--mutants", "all_mutants", is_flag=True, help="Plant each fault, and show how soon it is found.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(
    *,
    minutes: float,
    seed: int | None,
    number: int | None,
    only: str,
    workers: int,
    mutant: str | None,
    all_mutants: bool,
    as_json: bool,
) -> None:
    """Play rounds of chaos, and stop at the first one that breaks a rule of the documentation."""
    kinds = [kind.strip() for kind in only.split(",")]
    if unknown := sorted(set(kinds) - KINDS.keys()):
        raise click.BadParameter(
            f"found {', '.join(unknown)}, expected some of {', '.join(KINDS)}", param_hint="--only"
        )
    seed = int(time.time()) if seed is None else seed
    console = Console(stderr=True, soft_wrap=True)
    if all_mutants:
        sys.exit(0 if _hunt(console, seed, kinds, minutes=minutes, workers=workers, as_json=as_json) else 1)
    numbers = iter([number]) if number is not None else count()
    totals = _play(console, seed, kinds, numbers, minutes=minutes, workers=workers, mutant=mutant)
    for played in totals.failed:
        _explain(console, played, seed, only, mutant)
    if as_json:
        click.echo(json.dumps(_document(totals), indent=2))
    else:
        _summarize(console, totals)
    sys.exit(1 if totals.failed else 0)


def _play(
    console: Console,
    seed: int,
    kinds: Sequence[str],
    numbers: Iterator[int],
    *,
    minutes: float,
    workers: int,
    mutant: str | None,
) -> Totals:
    """Play rounds until the time is over or one breaks a rule."""
    totals, began = Totals(seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        code = stage(Path(folder), mutant)
        what = f"seed {seed}" + (f", mutant {mutant}" if mutant else "")
        with console.status(what) as status:
            for played in run(code, seed, kinds, numbers, minutes=minutes, workers=workers):
                totals.add(played)
                totals.seconds = time.monotonic() - began
                status.update(f"{what}: {sum(totals.rounds.values())} rounds in {totals.seconds:.0f} s")
    return totals


def _hunt(console: Console, seed: int, kinds: Sequence[str], *, minutes: float, workers: int, as_json: bool) -> bool:
    """Plant each fault in turn; return whether all were found."""
    found: list[dict[str, Any]] = []
    for mutant in MUTANTS:
        totals = _play(console, seed, kinds, count(), minutes=minutes, workers=workers, mutant=mutant)
        rules = sorted({violation.rule for played in totals.failed for violation in played.violations})
        rounds, seconds = sum(totals.rounds.values()), round(totals.seconds, 1)
        found.append({"mutant": mutant, "found": bool(rules), "rounds": rounds, "seconds": seconds, "rules": rules})
        console.print(f"{mutant}: {'found' if rules else 'NOT FOUND'}, {rounds} rounds, {seconds} s")
    if as_json:
        click.echo(json.dumps({"seed": seed, "mutants": found}, indent=2))
    else:
        table = Table("Mutant", "What it does", "Found", "Rounds", "Seconds", "By the rule")
        for one in found:
            verdict = "yes" if one["found"] else "NO"
            what = MUTANTS[one["mutant"]].what
            table.add_row(
                one["mutant"], what, verdict, str(one["rounds"]), str(one["seconds"]), ", ".join(one["rules"])
            )
        Console(width=max(Console().width, 140)).print(table)
    return all(one["found"] for one in found)


def _explain(console: Console, played: Played, seed: int, only: str, mutant: str | None) -> None:
    """Print what a round broke, what happened, the logs, and how to play it again."""
    console.rule(f"round {played.number} ({played.kind}) of seed {seed}")
    for violation in played.violations:
        console.print(f"{violation.rule}: {violation.what}", style="bold red", markup=False)
    console.print("\nWhat happened:", *played.story, sep="\n  ", markup=False)
    console.print("\nThe logs of the functions:", *played.logs[-_LOG_LINES:], sep="\n  ", markup=False)
    again = f"python -m tests.chaos --seed {seed} --round {played.number} --only {only}"
    console.print(f"\nPlay it again: {again}{f' --mutant {mutant}' if mutant else ''}", markup=False)


def _document(totals: Totals) -> dict[str, Any]:
    return {
        "seed": totals.seed,
        "seconds": round(totals.seconds, 1),
        "rounds": totals.rounds,
        **totals.counts,
        "violations": [
            {"round": played.number, "kind": played.kind, "rule": violation.rule, "what": violation.what}
            for played in totals.failed
            for violation in played.violations
        ],
    }


def _summarize(console: Console, totals: Totals) -> None:
    rounds = ", ".join(f"{number} {kind}" for kind, number in sorted(totals.rounds.items()))
    counts = ", ".join(f"{number} {name}" for name, number in totals.counts.items())
    verdict = "a rule was broken" if totals.failed else "no rule was broken"
    console.print(f"seed {totals.seed}, {totals.seconds:.0f} s: rounds: {rounds}; {counts}; {verdict}")


if __name__ == "__main__":
    main()
