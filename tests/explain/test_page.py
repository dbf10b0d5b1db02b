"""docs/explain.md shows what the command prints, and colour adds nothing to it."""

import io
import re
import shlex
from datetime import timezone

import pytest
from rich.console import Console

from cli.explain.retention import Rules, simulate
from cli.explain.retention_view import show_comparison, show_story
from cli.explain.timers import read_timer
from cli.main import main
from cli.paths import CHECKOUT
from shared.prune.retention import read_retention
from tests.explain.conftest import AT, NOW, Explain


PAGE = (CHECKOUT / "docs" / "explain.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"ddsbackup explain (\w+) ?(.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [
        ("timer", "CRON_TZ=Europe/Berlin 0 30 2 * * ?", "--next", "2"),
        ("timer", "--duration", "5h"),
        ("retention",),
        ("retention", "daily=7 weekly=4", "--against", "daily=14", "--weeks", "5"),
    ],
)
def test_the_page_has_what_the_command_prints(explain: Explain, arguments: tuple[str, ...]) -> None:
    """The last part of it: an overview of all timers comes before the night."""
    printed = "\n".join(explain(*arguments, *AT).lines).strip()

    assert printed.rpartition("\n\nAfter create_backup")[2].strip() in PAGE


@pytest.mark.parametrize(("name", "arguments"), COMMANDS)
def test_every_command_of_the_page_is_understood(name: str, arguments: str) -> None:
    """ddsbackup accepts every option and argument."""
    command = main.commands["explain"].commands[name]  # type: ignore[attr-defined]  # it is a group

    assert len(COMMANDS) >= 10
    assert command.make_context(name, shlex.split(arguments)).params


@pytest.mark.usefixtures("dds")
@pytest.mark.parametrize(
    "arguments",
    [
        ("timer", "--duration", "5h"),
        ("timer", "CRON_TZ=America/New_York 0 30 2 * * ?"),
        ("selector", '{"tags": {"env": ["production"], "backup": []}, "mode": ["Single"]}', "--cloud", "local"),
        ("retention", "--all"),
        ("retention", "last=3 daily=7 weekly=4 monthly=12", "--against", "daily=14 monthly=3"),
        ("event", '{"instance_ids": ["x", "y"], "nmae": "z"}', "--cloud", "local"),
        ("event", '{"instance_ids": ["x", "y"], "idempotency_key": "z"}', "--cloud", "local"),
    ],
)
def test_no_width_breaks_a_word(explain: Explain, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    """At 60 and 80 columns the words are those of 200, and no line is longer."""
    given = [*arguments, *(AT if arguments[0] in {"timer", "retention"} else ())]
    words = {}
    for width in (60, 80, 200):
        monkeypatch.setattr("cli.console.PIPED_WIDTH", width)
        ran = explain(*given)
        assert max(map(len, ran.lines)) <= width
        words[width] = {word for line in ran.lines for word in line.split()}

    assert words[60] | words[80] <= words[200]


def test_without_color_all_is_there() -> None:
    """Marks are letters and stars: the text is the same with NO_COLOR, in a pipe and on a terminal."""
    nightly, morning = read_timer("0 0 2 * * ?", NOW), read_timer("0 0 8 * * ?", NOW)
    rules = [Rules(read_retention(text), timezone.utc) for text in ("last=3 daily=7 weekly=4", "daily=14")]
    first, second = simulate(nightly, morning, rules, NOW, 5)
    texts = []
    for colors in ("standard", None):
        out = io.StringIO()
        console = Console(file=out, force_terminal=bool(colors), color_system=colors, width=80, highlight=False)
        show_story(console, first, 5, lists_all=True)
        show_comparison(console, first, second, 5)
        texts.append(out.getvalue())

    assert "\x1b[" in texts[0]
    assert re.sub(r"\x1b\[[0-9;]*m", "", texts[0]) == texts[1]


@pytest.mark.usefixtures("dds")
@pytest.mark.parametrize("name", ["timer", "selector", "retention", "event"])
def test_every_document_has_a_version(explain: Explain, name: str) -> None:
    """And says what it explains."""
    given = {"selector": ['{"name": "*"}', "--cloud", "local"], "event": ['{"instance_id": "x"}', "--cloud", "local"]}

    document = explain(name, *given.get(name, []), "--json").json

    assert (document["version"], document["explains"]) == (1, name)
    assert document["as_of"].endswith("Z")
