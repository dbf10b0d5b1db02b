"""`python -m tests.drill`: drills on a DDS that fails, kills and repeats, judged by an oracle from the docs.

Exit status: 0 if no promise was broken, or if every planted fault was found; 1 otherwise.
"""

import argparse
import json
import logging
import subprocess
import sys
import time
from collections import Counter

import click

from tests.drill.mutants import MUTANTS, plant


RULES = (
    "touches others",
    "too old",
    "left behind",
    "doubled",
    "two at once",
    "no outcome",
    "not started",
    "false alarm",
    "false verification",
    "contradiction",
    "one id, two facts",
    "no mark",
)
"""What a schedule can break."""


def main() -> int:
    """Play the schedules, or hunt the mutants, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=1000, help="How many (default: %(default)s).")
    parser.add_argument("--first", type=int, default=0, help="The number of the first (default: %(default)s).")
    parser.add_argument("--seed", type=int, default=20261124, help="Default: %(default)s.")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="Plant a fault, and stop when it is found.")
    parser.add_argument("--mutants", action="store_true", help="Plant each fault, and show how soon it is found.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if options.mutants:
        return _hunt(options.schedules, options.seed, as_json=options.json)
    if options.mutant:
        plant(options.mutant)
    return _play(options)


def _play(options: argparse.Namespace) -> int:
    from tests.drill.simulation import play  # after the fault is planted

    began, counts, broken, number = time.monotonic(), Counter[str](), Counter[str](), 0
    for number in range(options.first, options.first + options.schedules):
        played = play(options.seed, number)
        counts.update(played.counts)
        broken.update({violation.rule for violation in played.violations})
        if played.violations and not options.json:
            _explain(options, played.number, [f"{v.rule}: {v.what}" for v in played.violations], played.story)
        if played.violations and options.mutant:
            break
        if sys.stderr.isatty() and number % 50 == 0:
            click.echo(f"\r{number} schedules", nl=False, err=True)
    schedules, seconds = number + 1 - options.first, time.monotonic() - began
    facts = {
        "seed": options.seed,
        "schedules": schedules,
        "seconds": round(seconds, 1),
        "per_second": round(schedules / seconds, 1),
        "broken": {rule: broken[rule] for rule in RULES},
        "counts": dict(counts),
    }
    if options.json:
        click.echo(json.dumps(facts))
    else:
        click.echo(
            f"seed {options.seed}: {schedules:,} schedules in {seconds:.0f} s, {schedules / seconds:.0f} a second"
        )
        click.echo("  " + ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())))
        click.echo("  broken: " + ", ".join(f"{broken[rule]} {rule}" for rule in RULES))
    return int(bool(broken))


def _explain(options: argparse.Namespace, number: int, violations: list[str], story: list[str]) -> None:
    lines = [f"schedule {number} of seed {options.seed}", *violations, "What happened:"]
    click.echo("\n  ".join(lines) + "\n    " + "\n    ".join(line[:240] for line in story))
    mutant = f" --mutant {options.mutant}" if options.mutant else ""
    click.echo(f"  Play it again: python -m tests.drill --seed {options.seed} --first {number} --schedules 1{mutant}")


def _hunt(schedules: int, seed: int, *, as_json: bool) -> int:
    """Plant each fault in a process of its own."""
    found = []
    for name, mutant in MUTANTS.items():
        command = [sys.executable, "-m", "tests.drill", "--schedules", str(schedules), "--seed", str(seed), "--json"]
        run = subprocess.run([*command, "--mutant", name], stdout=subprocess.PIPE, check=False)
        facts = json.loads(run.stdout)
        rules = [rule for rule, count in facts["broken"].items() if count]
        found.append({"mutant": name, "found": bool(rules), "schedules": facts["schedules"], "rules": rules})
        if not as_json:
            verdict = f"found by schedule {facts['schedules']}: {', '.join(rules)}" if rules else "NOT FOUND"
            click.echo(f"{name} ({mutant.what}): {verdict}")
    if as_json:
        click.echo(json.dumps({"seed": seed, "mutants": found}))
    return int(not all(one["found"] for one in found))


if __name__ == "__main__":
    sys.exit(main())
