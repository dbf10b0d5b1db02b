"""Every page of the documentation: its links lead somewhere."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.main import main
from cli.paths import CHECKOUT


FOLDERS = (".", "docs", "events", ".github", ".github/ISSUE_TEMPLATE")
PAGES = sorted(page for folder in FOLDERS for page in (CHECKOUT / folder).glob("*.md"))


def anchors(text: str) -> set[str]:
    """Returns the anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_the_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file of the repository, and each anchor a heading of that file."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def test_every_page_is_in_the_table_of_contents() -> None:
    """docs/README.md links every page below docs."""
    contents = (CHECKOUT / "docs" / "README.md").read_text(encoding="utf-8")

    pages = {page.name for page in (CHECKOUT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page}" not in contents} == set()


def test_the_version_is_in_the_changelog() -> None:
    """The changelog has a section for the version, and the pages name only tags of the changelog."""
    released = re.findall(
        r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    tags = {tag for page in PAGES for tag in re.findall(r"\bv(\d+\.\d+\.\d+)\b", page.read_text(encoding="utf-8"))}

    assert version("dds-backup") in released
    assert tags <= set(released)


def test_every_command_is_in_the_table() -> None:
    """docs/README.md lists every command of ddsbackup and nothing else."""
    contents = (CHECKOUT / "docs" / "README.md").read_text(encoding="utf-8")
    table = contents.partition("| Command |")[2].partition("\n\n")[0]

    first_cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert set(re.findall(r"`(?:ddsbackup )?(\w+)`", " ".join(first_cells))) == set(main.commands)
