"""The mutants of a module, and the list of those that no test can find."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.mutations import Identity, mutants_of, read_explained, stale
from tests.mutants.trial import ROOT, passes


SOURCE = '''
LIMIT = 3


class Box:
    @property
    def is_full(self) -> bool:
        """Whether it is full."""
        return self.count > LIMIT
'''


def test_constants_and_properties_are_changed_too() -> None:
    """Each mutant tells where it is and which lines it changes. Docstrings, annotations and decorators stay."""
    found = {mutant.identity for mutant in mutants_of("box.py", SOURCE)}

    assert found == {
        Identity("box.py", "<module>", "LIMIT = 3", "LIMIT = None"),
        Identity("box.py", "<module>", "LIMIT = 3", "LIMIT = 4"),
        Identity("box.py", "Box.is_full", "return self.count > LIMIT", "return self.count >= LIMIT"),
    }


def test_a_mutant_stays_the_same_when_its_lines_move() -> None:
    """What explains it then still does."""
    moved = "import re\n\n" + SOURCE.replace("class Box:", "def f():\n    pass\n\n\nclass Box:")

    assert {m.identity for m in mutants_of("box.py", SOURCE)} <= {m.identity for m in mutants_of("box.py", moved)}


def test_equal_changes_in_one_place_are_counted() -> None:
    """An explanation covers one of them."""
    found = mutants_of("two.py", "def f(a):\n    if a > 1:\n        g()\n    if a > 1:\n        g()\n")

    twice = [m.identity.nth for m in found if m.identity.after == "if a >= 1:"]
    assert twice == [1, 2]
    assert len({mutant.source for mutant in found}) == len(found)


def test_an_explanation_of_a_mutant_that_does_not_exist_is_stale() -> None:
    """It would hide the next mutant of these lines."""
    gone = Identity("box.py", "Box.is_full", "return self.count < LIMIT", "return self.count <= LIMIT")
    mutants = mutants_of("box.py", SOURCE)

    assert list(stale([gone, mutants[0].identity], mutants)) == [gone]


@pytest.mark.parametrize("why", ["", "why: ''"])
def test_an_explanation_needs_a_reason(tmp_path: Path, why: str) -> None:
    """Otherwise the list would be a way to silence mutants."""
    path = tmp_path / "explained.yaml"
    path.write_text(f"box.py:\n  - in: f\n    from: a\n    to: b\n    {why}\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"explained\.yaml: must have a reason"):
        read_explained(path)


TRIAL = """
from tests.mutants.trial import ROOT, passes

source = (ROOT / "shared/format.py").read_text(encoding="utf-8")
for text in ("did you mean", "did you want"):
    mutant = source.replace("did you mean {", text + " {")
    print(passes("shared/format.py", mutant, ["tests/test_format.py"], timeout=300))
"""


@pytest.mark.slow
def test_the_tests_run_on_the_mutant() -> None:
    """They pass on the module as it is, and fail on a mutant."""
    done = subprocess.run([sys.executable, "-c", TRIAL], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False"]


def test_a_module_that_is_imported_already_has_no_mutants() -> None:
    """The tests would run on the module as it is, and every mutant would survive."""
    with pytest.raises(RuntimeError, match="must not be imported before"):
        passes("tests/mutants/trial.py", "", ["tests/test_format.py"], timeout=300)
