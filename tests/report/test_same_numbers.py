"""The terminal, the page and the document show the same numbers, whatever there is to report."""

import io
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import jsonschema
from hypothesis import given, settings
from rich.cells import cell_len
from rich.console import Console

from cli.paths import CHECKOUT
from cli.report.document import document
from cli.report.model import Report
from cli.report.page import page
from cli.report.strip import DAYS, Kind
from cli.report.terminal import show
from shared.format import duration, size
from tests.report.conftest import reports


SCHEMA = json.loads((CHECKOUT / "docs" / "report.schema.json").read_text(encoding="utf-8"))


def printed(report: Report, width: int = 400, *, all_in_full: bool = True) -> str:
    """What a terminal of this width shows."""
    file = io.StringIO()
    show(Console(file=file, width=width, highlight=False), report, all_in_full=all_in_full)
    return file.getvalue()


@dataclass
class Article(HTMLParser):
    """A page, read back: the facts and the strip of each instance, by its id, and all text."""

    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    strips: dict[str, list[str]] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    current: str = ""
    tag: str = ""
    term: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tag = tag
        if tag == "article":
            self.current = str(given["id"]).removeprefix("i-")
            self.facts[self.current] = {}
            self.strips[self.current] = ["?"] * DAYS
        elif tag == "path" and self.current:
            self.draw(Kind[str(given["class"]).upper()], str(given["d"]))

    def draw(self, kind: Kind, shape: str) -> None:
        """Fill in the days of a path."""
        for begin, length in re.findall(r"M(\d+) \d+h(\d+|\.\d)", shape):
            for day in range(int(begin), int(begin) + (int(length) if length.isdecimal() else 1)):
                self.strips[self.current][day] = kind.value

    def handle_endtag(self, tag: str) -> None:
        self.tag = ""
        if tag == "article":
            self.current = ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.tag == "dt":
            self.term = data
        elif self.tag == "dd" and self.current:
            self.facts[self.current][self.term] = data


def read_page(text: str) -> Article:
    """Read a page back."""
    parser = Article()
    parser.feed(text)
    return parser


def minute(time: str) -> str:
    """A time of the document as people read it."""
    return f"{datetime.fromisoformat(time.replace('Z', '+00:00')):%Y-%m-%d %H:%M} UTC"


def expected_facts(one: Any) -> dict[str, str]:
    """The facts of an instance, from the numbers of the document alone."""
    storage, newest, drill = one["storage"], one["newest"], one["drill"]
    found = {
        "Newest good": "none",
        "Last drill": "none",
        "All backups": f"{storage['backups']}, {size(storage['size'])}, "
        f"{size(storage['billed'])} beyond the free {size(storage['free'])}",
    }
    if newest:
        found["Newest good"] = (
            f"{duration(newest['age'])} old, of {minute(newest['begin_time'])}, {size(newest['size'])}"
        )
    if drill["verified_at"]:
        found["Last drill"] = f"verified {minute(drill['verified_at'])}, restored in {duration(drill['restored_in'])}"
    if one["failures"]:
        noun = "backup" if one["failures"] == 1 else "backups"
        found["Failed"] = f"{one['failures']} {noun} since {minute(one['failed_since'])}"
    if one["point_in_time"]:
        found["Point in time"] = f"{minute(one['point_in_time']['from'])} to {minute(one['point_in_time']['to'])}"
    return found


@settings(max_examples=12, deadline=None)
@given(reports())
def test_the_three_agree(report: Report) -> None:
    """Every fact, finding and day of the document is in the terminal's text and on the page, and so are the totals."""
    made: Any = document(report)
    text, read = printed(report), read_page(page(report))
    shown = " ".join(read.text)

    assert json.loads(json.dumps(made)) == made
    jsonschema.validate(made, SCHEMA)
    assert set(read.facts) == {one["instance_id"] for one in made["instances"]}
    for one in made["instances"]:
        for name, value in expected_facts(one).items():
            assert read.facts[one["instance_id"]][name] == value
            assert re.search(rf"^  {name} +{re.escape(value)} *$", text, re.MULTILINE)
        assert "".join(read.strips[one["instance_id"]]) == one["strip"]["days"]
        assert f"  {one['strip']['first']}    {one['strip']['days']}\n" in text
        for finding in one["findings"]:
            assert f"({finding['code']})" in text
            assert f"({finding['code']})" in shown
    totals = made["totals"]
    stored = f"{size(totals['size'])}, of which {size(totals['billed'])} are beyond"
    proven = f"a backup of {totals['verified']} of {totals['expected']} instance"
    for sentence in (stored, proven):
        assert sentence in text
        assert sentence in shown
    assert made["ok"] == (not made["findings"] and not any(one["findings"] for one in made["instances"]))
    if totals["late"]:
        assert f"young enough: {totals['late']} of {totals['expected']}" in text
        assert f"young enough: {totals['late']} of {totals['expected']}" in shown


@settings(max_examples=5, deadline=None)
@given(reports())
def test_no_width_breaks_a_word(report: Report) -> None:
    """At 60, 80 and 200 columns the words are those of a very wide terminal, and no line is too long."""
    for full in (True, False):
        for width in (60, 80, 200):
            lines = printed(report, width, all_in_full=full).splitlines()
            assert all(cell_len(line) <= width for line in lines)
    words = re.findall(r"[a-z]{5,}", printed(report))
    assert re.findall(r"[a-z]{5,}", printed(report, 60)) == words
