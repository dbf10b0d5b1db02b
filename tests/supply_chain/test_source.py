"""Bandit looks at the code, and a place that is judged already is passed over."""

from pathlib import Path

from tests.supply_chain.finding import Verdict
from tests.supply_chain.source import audit_source


WEAK = 'def run(text: str) -> object:\n    return eval(text){}\n\n\nPASSWORD = "hunter2"\n'


def test_a_weak_spot_is_found_and_a_judged_one_is_not(tmp_path: Path) -> None:
    """By a noqa of the same number, and of no other."""
    file = tmp_path / "weak.py"

    file.write_text(WEAK.format("  # noqa: S307 - a test"))
    (line,) = audit_source([tmp_path]).lines
    assert line.startswith(f"{file}:5: B105")
    file.write_text(WEAK.format("  # noqa: S306 - another rule"))
    found = audit_source([tmp_path])
    assert found.verdict is Verdict.FOUND
    assert [text.split()[1] for text in found.lines] == ["B307", "B105"]


def test_what_cannot_be_read_is_unchecked(tmp_path: Path) -> None:
    """A file that is no Python."""
    (tmp_path / "broken.py").write_text("def\n")

    assert audit_source([tmp_path]).verdict is Verdict.UNCHECKED
