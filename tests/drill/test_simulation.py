"""Drills on a DDS that fails, kills and repeats break no promise, and the oracle finds planted faults."""

import json
import subprocess
import sys

import pytest

from cli.paths import CHECKOUT
from tests.drill.mutants import MUTANTS
from tests.drill.simulation import play


SEED = 20261124


def test_some_schedules_break_no_promise() -> None:
    """`python -m tests.drill` plays thousands."""
    played = [play(SEED, number) for number in range(10)]

    assert [(one.number, one.violations, one.story) for one in played if one.violations] == []
    assert sum(one.counts["kill"] for one in played) > 2
    assert sum(one.counts["dds.drill.verified"] for one in played) > 3
    assert sum(one.counts["twice at once"] for one in played) > 2


def test_a_schedule_depends_on_the_seed_and_its_number_alone() -> None:
    """A failing one can be played again."""
    first, second = play(SEED, 7), play(SEED, 7)

    assert first.story == second.story
    assert first.story != play(SEED, 8).story


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fits_the_code(name: str) -> None:
    """Its text occurs exactly once, and what replaces it is Python."""
    mutant = MUTANTS[name]
    path = CHECKOUT / f"{mutant.module.replace('.', '/')}.py"
    source = path.read_text(encoding="utf-8")

    assert source.count(mutant.before) == 1
    compile(source.replace(mutant.before, mutant.after), path.name, "exec")


@pytest.mark.slow
def test_every_mutant_is_found() -> None:
    """Each by a rule of the oracle, in a process of its own."""
    command = [sys.executable, "-m", "tests.drill", "--mutants", "--schedules", "1000", "--seed", str(SEED), "--json"]
    found = json.loads(subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, check=True).stdout)["mutants"]

    assert {one["mutant"] for one in found if one["found"]} == set(MUTANTS)
