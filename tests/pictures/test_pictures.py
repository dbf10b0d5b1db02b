"""docs/deployment.md: its commands exist. The pictures of README.md and docs/deployment.md show their commands."""

import html
import re
import shlex

import click
import pytest

from cli.cost.month import FREE_GB_SECONDS, FREE_REQUESTS
from cli.main import main
from cli.paths import CHECKOUT
from cli.template.load import load_template
from tests.pictures.drawing import shorten
from tests.pictures.guide import GUIDE, PICTURES, README, REHEARSAL, Block, read_blocks
from tests.pictures.terminal import screen


TEXT = GUIDE.read_text(encoding="utf-8")
BLOCKS = read_blocks(GUIDE)
OURS = sorted({command for block in BLOCKS for command in block.commands if command.startswith("ddsbackup ")})
DRAWN = [block for block in [*read_blocks(README), *BLOCKS] if block.picture]


def parse(command: str) -> click.Context:
    """Parse the command as ddsbackup does, without running it."""
    _, name, *arguments = shlex.split(command)
    return main.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("command", [command for command in OURS if command != "ddsbackup --help"])
def test_every_command_is_understood(command: str) -> None:
    """ddsbackup accepts every option and argument."""
    assert parse(command).params


def test_commands_in_the_running_text_exist() -> None:
    """The commands and options in the text are known to ddsbackup."""
    for text in re.findall(r"`(ddsbackup [^`]+)`", TEXT):
        name, *options = text.split()[1:]
        known = {option for parameter in main.commands[name].params for option in parameter.opts}
        assert {option for option in options if option.startswith("--")} <= known | {"--help"}, text


@pytest.mark.parametrize("block", DRAWN, ids=lambda block: block.picture)
def test_each_picture_shows_its_commands(block: Block) -> None:
    """`python -m tests.pictures` drew the picture from this block."""
    svg = (PICTURES / f"{block.picture}.svg").read_text(encoding="utf-8")
    shown = re.sub(
        r"\s+", " ", html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).replace("\xa0", " ")
    )

    for command in block.commands:
        assert f"$ {command}".replace(" ", "") in shown.replace(" ", ""), f"{block.picture}: draw it again"
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+|https://www\.textualize\.io|http://127\.0\.0\.1\S*", "", svg)


def test_no_picture_is_left_over() -> None:
    """A page shows each picture."""
    assert {file.stem for file in PICTURES.glob("*.svg")} == {block.picture for block in DRAWN}


def test_the_rehearsal_stays_on_the_machine() -> None:
    """The rehearsal names no region, so it cannot reach the real cloud."""
    rehearsal = [command for block in BLOCKS if block.heading == REHEARSAL for command in block.commands]

    assert any("deploy" in command for command in rehearsal)
    assert not any("--region" in command for command in rehearsal)


def test_what_is_there_is_what_the_template_makes() -> None:
    """The guide names the functions, the agencies, and the parameters without a default."""
    template = load_template(CHECKOUT / "template.yaml")

    assert all(f"`{function.name}`" in TEXT for function in template.functions)
    assert all((function.agency or "").removeprefix("dds-backup") in TEXT for function in template.functions)
    required = {name for name, parameter in template.parameters.items() if parameter.default is None}
    assert required == set(re.findall(r"^echo '(\w+)=", TEXT, re.MULTILINE))
    assert f"{FREE_REQUESTS:,} requests and {FREE_GB_SECONDS:,} GB-seconds" in " ".join(TEXT.split())


def test_a_screen_shows_only_the_last_state() -> None:
    """A progress bar of rich erases its earlier lines."""
    written = "one\r\n\x1b[?25l 10%\r\x1b[2K 90%\r\x1b[2K\x1b[1A\x1b[2K\x1b[32mtwo\x1b[0m\r\n\r\n"

    assert screen(written) == ["\x1b[32mtwo\x1b[0m"]


def test_a_long_output_is_shortened() -> None:
    """The picture shows both ends and says how much is missing."""
    assert shorten(["1", "2", "3"], first=2, last=1) == ["1", "2", "3"]
    assert shorten(["1", "2", "3", "4"], first=1, last=1) == [
        "1",
        "",
        "\x1b[2m... 2 more lines ...\x1b[0m",
        "",
        "4",
    ]
