"""Days of the application in simulated time."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.simulate.clock import SimulatedClock, SimulatedWorkers
from cli.simulate.document import as_document
from cli.simulate.faults import Story, read_story
from cli.simulate.page import render
from cli.simulate.summary import Cell
from shared.retry import Workers
from tests.simulate.conftest import Play


def test_the_same_seed_gives_the_same_bytes(play: Play) -> None:
    """The document and the page of two simulations are equal; another seed makes another one."""
    documents, pages = [], []
    for seed in (1, 1, 2):
        summary, platform = play(days=2, seed=seed)
        documents.append(json.dumps(as_document(summary, platform, seed)))
        pages.append(render(summary, platform, seed))

    assert documents[0] == documents[1] != documents[2]
    assert pages[0] == pages[1] != pages[2]


def test_what_is_simulated_is_the_application(play: Play) -> None:
    """Each night has an announced backup of each instance, and what no rule keeps is deleted."""
    summary, platform = play(days=5, settings={"prune_backups.DRY_RUN": "false", "RETENTION": "last=1 daily=2"})

    assert summary.cells(Cell.GOOD) == 5 * 4
    assert summary.told["dds.backup.started"] == summary.told["dds.backup.completed"] == 5 * 4
    assert summary.told["dds.backup.audited"] == summary.told["dds.backup.pruned"] == 5
    assert summary.calls["DDS.CreateManualBackup"] == 5 * 4
    assert summary.deleted == {"no_rule": summary.calls["DDS.DeleteManualBackup"]}
    assert {line.kept for line in summary.lines} == {5 - summary.deleted["no_rule"] // 4}
    assert not platform.ledger.failed
    assert not summary.unannounced


def test_dry_run_deletes_nothing(play: Play) -> None:
    """The template's own settings hold."""
    summary, _ = play(days=2, settings={})

    assert summary.deleted == {}
    assert "DDS.DeleteManualBackup" not in summary.calls


def test_one_that_is_busy_does_not_hold_up_the_others(play: Play) -> None:
    """Instances wait side by side, so that an invocation takes no longer than the longest of them."""
    story = Story.model_validate({"faults": [{"fault": "busy", "instances": [], "day": 1, "at": "01:59", "for": "3m"}]})
    summary, _ = play(story, days=1, instances=8)

    assert summary.cells(Cell.GOOD) == 8
    assert summary.seconds["create_backup"] < 200


def test_workers_take_turns_in_the_order_of_time() -> None:
    """Of workers that sleep, the one that wakes up first runs first, and all sleep at the same time."""
    clock = SimulatedClock(0.0)
    workers: Workers = SimulatedWorkers(clock)
    queue, seen = workers.queue(), []

    def work(name: str, seconds: float) -> None:
        clock.turns.sleep(seconds)
        queue.put(name)

    with workers.executor(3, 2) as pool:
        for name, seconds in (("slow", 30.0), ("quick", 10.0), ("next", 5.0)):
            pool.submit(work, name, seconds)
        seen = [queue.get() for _ in range(3)]

    assert seen == ["quick", "next", "slow"]
    assert clock.now() == 30.0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("faults: [{fault: bussy}]", "faults.0.fault: found 'bussy', did you mean 'busy'?"),
        ("faults: [{fault: busy, day: 0, for: 3h}]", "faults.0.day: found 0, expected a day such as 12"),
        ("faults: [{fault: busy, day: 2, at: 26:00, for: 3h}]", "faults.0.at: found"),
        ("faults: [{fault: busy, day: 2}]", "faults.0.for: is missing"),
        ("faults: [{fault: busy, day: 2, for: 3h, until: x}]", "faults.0.until: there is no such key"),
        ("faults: [{fault: busy, day: 2, for: soon}]", "faults.0.for: "),
        ("[]", "found list, expected the keys story and faults"),
        ("faults: [", "is not YAML"),
    ],
)
def test_a_wrong_story_says_what_was_found(text: str, problem: str, tmp_path: Path) -> None:
    """Each problem names its place and what was found there."""
    file = tmp_path / "story.yaml"
    file.write_text(text, encoding="utf-8")

    result = CliRunner().invoke(main, ["simulate", "--faults", str(file)])

    assert result.exit_code == 2
    assert problem in result.output


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--parameter", "NotifyMail=x"], "no parameter 'NotifyMail', did you mean 'NotifyEmail'?"),
        (["--setting", "DRY_RUN"], "found 'DRY_RUN', expected NAME=VALUE"),
        (["--setting", "RETENTION=forever"], "prune_backups: "),
        (["--setting", "prune_backups.RETENTOIN=x"], "RETENTOIN"),
        (["--state", "nowhere.yaml"], "cannot read the state"),
    ],
)
def test_a_wrong_option_says_what_was_found(options: list[str], problem: str) -> None:
    """The command ends with 2."""
    result = CliRunner().invoke(main, ["simulate", "--days", "1", *options])

    assert result.exit_code == 2
    assert problem in result.output


def test_an_unknown_instance_in_a_story_is_named(play: Play) -> None:
    """A typo in a story does not go unnoticed."""
    story = Story.model_validate({"faults": [{"fault": "instance_deleted", "instance": "oders", "day": 1}]})

    with pytest.raises(Exception, match=r"faults.0: there is no instance 'oders', did you mean 'orders'"):
        play(story, days=1)


class _Page(HTMLParser):
    """Collects what a page must not have, and checks that its elements are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.external: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.external += [
            f"{name}={value}" for name, value in attrs if name in {"src", "href"} or name.startswith("on")
        ]
        if tag != "meta" and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(play: Play) -> None:
    """It has no script and no address, every picture has a text, and a name cannot become markup."""
    story = Story.model_validate(
        {
            "story": "<b>bold</b>",
            "faults": [{"fault": "unavailable", "service": "SMN", "day": 1, "at": "01:00", "for": "2h"}],
        }
    )
    summary, platform = play(story, days=2)
    text = render(summary, platform, 0)
    page = _Page()
    page.feed(text)

    assert not page.open
    assert not page.external
    assert "<script" not in text
    assert "&lt;b&gt;bold" in text
    assert all("<title>" in svg for svg in re.findall(r'<svg role="img".*?</svg>', text))
    assert len(text.encode()) < 60_000


def test_the_command_prints_a_table_and_json_and_writes_a_page(template: Path, tmp_path: Path) -> None:
    """The document goes to standard output alone, and the page is the same for the same call."""
    page = tmp_path / "page.html"
    usual = ["simulate", "--days", "1", "--instances", "2", "--template", str(template)]

    table = CliRunner().invoke(main, [*usual, "--html", str(page)])
    document = json.loads(CliRunner().invoke(main, [*usual, "--json"]).stdout)

    assert table.exit_code == 0
    assert "seed 0" in table.stdout
    assert "CPU time" in table.stderr
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert document["version"] == 1
    assert [len(instance["days"]) for instance in document["instances"]] == [1, 1]


def test_the_stories_of_the_documentation_are_valid() -> None:
    """Each file has a title and at least one fault."""
    from tests.simulate.test_stories import NAMES, STORIES

    assert len(NAMES) >= 5
    for name in NAMES:
        story = read_story(STORIES / f"{name}.yaml")
        assert story.story
        assert story.faults
