"""The check finds weaknesses and accepts those that a `noqa` explains."""

from pathlib import Path

from tests.supply_chain.finding import Verdict
from tests.supply_chain.source import audit_source


WEAK = 'def run(text: str) -> object:\n    return eval(text){}\n\n\nPASSWORD = "hunter2"\n'


def test_a_weakness_is_found_unless_a_noqa_accepts_it(tmp_path: Path) -> None:
    """The noqa has to have the same number."""
    file = tmp_path / "weak.py"

    file.write_text(WEAK.format("  # noqa: S307 - a test"))
    (line,) = audit_source([tmp_path]).lines
    assert line.startswith(f"{file}:5: B105")
    file.write_text(WEAK.format("  # noqa: S306 - another rule"))
    found = audit_source([tmp_path])
    assert found.verdict is Verdict.FOUND
    assert [text.split()[1] for text in found.lines] == ["B307", "B105"]


def test_a_file_that_bandit_cannot_read_is_unchecked(tmp_path: Path) -> None:
    """The file is not valid Python."""
    (tmp_path / "broken.py").write_text("def\n")

    assert audit_source([tmp_path]).verdict is Verdict.UNCHECKED
