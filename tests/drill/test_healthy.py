"""A sample of `python -m tests.drill.healthy`."""

import random

import pytest

from shared.drill.checks import Verdict
from tests.drill import healthy
from tests.drill.contents import FAULTS, draw_drill
from tests.drill.healthy import ARRANGEMENTS, FULL, Tally


@pytest.fixture(scope="module")
def tally() -> Tally:
    """A few random drills, healthy and with each fault."""
    return healthy.run(range(20))


def test_healthy_drills_raise_no_alarm_and_faults_do(tally: Tally) -> None:
    """Each healthy drill is verified in each arrangement, and each fault is found in the full one."""
    assert not any(tally.alarms.values())
    assert not {fault: tally.missed[fault, FULL] for fault in FAULTS if tally.missed.get((fault, FULL))}


def test_the_figure_can_fail(tally: Tally) -> None:
    """Without an expectation, level 1 does not see the loss of little: the figure says so."""
    assert tally.missed["lacks_collection", ARRANGEMENTS[0]]
    assert tally.missed["stale", ARRANGEMENTS[1]]


def test_a_canary_measures_the_rpo() -> None:
    """The canary of the drills is less than a minute older than the backup, whatever else the copy has."""
    for number in range(5):
        drill = draw_drill(random.Random(number))
        inspection = healthy.inspect(drill, FULL)

        assert inspection.verdict is Verdict.VERIFIED
        assert inspection.rpo is not None
        assert 0 <= inspection.rpo <= 61
