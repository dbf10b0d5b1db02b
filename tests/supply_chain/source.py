"""Checks the code for weaknesses with bandit."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.supply_chain.finding import Finding, Verdict


CONFIGURATION = Path(__file__).parent / "bandit.yaml"


def audit_source(folders: Iterable[Path]) -> Finding:
    """Run bandit on the folders, for every severity.

    A line with a ``noqa`` for ruff's rule of the same number is accepted: ruff's S105 is bandit's B105. Ruff reports a
    ``noqa`` that is no longer needed.
    """
    command = [sys.executable, "-m", "bandit", "--quiet", "--format=json", f"--configfile={CONFIGURATION}", "-r"]
    done = subprocess.run([*command, *map(str, folders)], capture_output=True, text=True, check=False)
    subject = "weaknesses in the code"
    try:
        document = json.loads(done.stdout)
    except ValueError:
        return Finding(subject, Verdict.UNCHECKED, (f"bandit failed: {done.stderr.strip()}",))
    unread = [f"{error['filename']}: {error['reason']}" for error in document["errors"]]
    if unread:
        return Finding(subject, Verdict.UNCHECKED, tuple(unread))
    found = [result for result in document["results"] if not _is_accepted(result)]
    lines = tuple(f"{r['filename']}:{r['line_number']}: {r['test_id']} {r['issue_text']}" for r in found)
    return Finding(subject, Verdict.FOUND if lines else Verdict.CLEAN, lines)


def _is_accepted(result: dict[str, Any]) -> bool:
    lines = Path(result["filename"]).read_text(encoding="utf-8").splitlines()
    rule = re.compile(rf"# noqa: (?:[A-Z]+\d+, )*S{result['test_id'][1:]}\b")
    return any(rule.search(lines[number - 1]) for number in result["line_range"])
