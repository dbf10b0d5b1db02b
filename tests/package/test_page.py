"""docs/package.md agrees with the code."""

import json
import re
from pathlib import Path

from cli.package.archive import MB, UPLOADS
from cli.package.display import verification_document
from cli.package.model import Package
from cli.package.verify import Statement, Verification
from cli.paths import CHECKOUT
from tests.package.conftest import a_function


PAGE = CHECKOUT / "docs" / "package.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_upload_is_in_the_table() -> None:
    """The table has the limits of each."""
    rows = re.findall(r"^\| (\w+)[^|]* \| (\d+) MB \| ([\d.]+) GB \|$", TEXT, re.MULTILINE)

    assert [(name.upper(), int(most) * MB, float(unpacked) * 1024 * MB) for name, most, unpacked in rows] == [
        (way.name.upper(), way.most, way.most_unpacked) for way in UPLOADS
    ]


def test_requirements_that_are_left_out_are_named(package: Package) -> None:
    """The page names exactly the requirements that are left out as a whole."""
    properties = json.loads(package.sbom.read_text(encoding="utf-8"))["metadata"]["component"]["properties"]
    left_out = {re.split("[/@]", one["value"])[1].lower() for one in properties if one["name"] == "ddsbackup:left-out"}
    named = re.search(r"\*\*Whole requirements of requirements\*\*: ([^.]+)\.", TEXT)

    assert named
    assert set(named[1].lower().split(", ")) == left_out


def test_every_property_of_the_bill_of_materials_is_explained(package: Package) -> None:
    """The table has the properties of the zip and of components."""
    used = set(re.findall(r'"(ddsbackup:[\w-]+)"', package.sbom.read_text(encoding="utf-8")))

    assert set(re.findall(r"`(ddsbackup:[\w-]+)`", TEXT)) == used


def test_every_origin_of_a_file_is_explained(package: Package) -> None:
    """The table has the origins that the bill of materials uses."""
    files = json.loads(package.sbom.read_text(encoding="utf-8"))["metadata"]["component"]["components"]
    used = {one["value"] for file in files for one in file["properties"] if one["name"] == "ddsbackup:origin"}
    table = TEXT[TEXT.index("| Origin | What |") :].partition("\n\n")[0]

    assert set(re.findall(r"^\| `([\w-]+)` ", table, re.MULTILINE)) == used


def test_every_key_of_a_verification_is_explained() -> None:
    """The table has the keys of the JSON document, and its changes."""
    section = TEXT[TEXT.index("## What differs") :].partition("\n## ")[0]
    found = Verification(
        Path(),
        Statement("", "", False, ""),
        Package(a_function(Path(), Path()), "", Path(), Path(), 0, 0, 0, ""),
        "",
        (),
        (),
    )
    table = section[section.index("| Key | Value |") :]
    keys = [key for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)]

    assert sorted(keys) == sorted(verification_document(found))
