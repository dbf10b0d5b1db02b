"""README.md names commands and targets that exist, and fits on a page."""

import re
import shlex

import pytest

from cli.main import main
from cli.paths import CHECKOUT
from cli.template.load import load_template


README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(?:\.venv/bin/)?ddsbackup (\w+)(.*?)(?: #.*)?$", README, re.MULTILINE)
ORDER = ["create_backup", "track_backups", "prune_backups", "audit_backups", "drill_backups"]


def test_it_is_short() -> None:
    """A reader finds everything else through a link."""
    assert len(README.splitlines()) <= 120


def test_the_status_on_the_real_cloud_is_in_the_first_screen() -> None:
    """The status follows the picture and comes before the first section."""
    assert "never run on the real cloud" in README.partition("\n## ")[0]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make (\w[\w-]*)", README, re.MULTILINE))))
def test_every_target_exists(target: str) -> None:
    """The commands of the README are targets of the Makefile."""
    assert re.search(rf"^{target}:", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("name", "arguments"), COMMANDS)
def test_every_command_is_understood(name: str, arguments: str) -> None:
    """ddsbackup accepts every option and argument."""
    assert main.commands[name].make_context(name, shlex.split(arguments)).params


def test_the_functions_are_in_the_order_of_their_work() -> None:
    """Create, track, prune, audit, drill: each with a link to its page."""
    table = README.partition("| Function |")[2].partition("\n\n")[0]

    assert re.findall(r"^\| \[`(\w+)`\]\(docs/\1\.md\)", table, re.MULTILINE) == ORDER
    assert {function.name for function in load_template(CHECKOUT / "template.yaml").functions} == set(ORDER)
