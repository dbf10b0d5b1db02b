"""docs/package.md says what the code does."""

import json
import re

from cli.package.archive import MB, UPLOADS
from cli.package.model import Package
from cli.paths import CHECKOUT


PAGE = CHECKOUT / "docs" / "package.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_way_of_upload_is_in_the_table() -> None:
    """With what it takes."""
    rows = re.findall(r"^\| (\w+)[^|]* \| (\d+) MB \| ([\d.]+) GB \|$", TEXT, re.MULTILINE)

    assert [(name.upper(), int(most) * MB, float(unpacked) * 1024 * MB) for name, most, unpacked in rows] == [
        (way.name.upper(), way.most, way.most_unpacked) for way in UPLOADS
    ]


def test_what_is_left_out_whole_is_named(package: Package) -> None:
    """Each requirement of which nothing is packed, and no other."""
    properties = json.loads(package.sbom.read_text(encoding="utf-8"))["metadata"]["component"]["properties"]
    left_out = {re.split("[/@]", one["value"])[1].lower() for one in properties if one["name"] == "ddsbackup:left-out"}
    named = re.search(r"\*\*Whole requirements of requirements\*\*: ([^.]+)\.", TEXT)

    assert named
    assert set(named[1].lower().split(", ")) == left_out


def test_every_property_of_the_bill_of_materials_is_explained(package: Package) -> None:
    """Those of the zip and those of components."""
    used = set(re.findall(r'"(ddsbackup:[\w-]+)"', package.sbom.read_text(encoding="utf-8")))

    assert set(re.findall(r"`(ddsbackup:[\w-]+)`", TEXT)) == used


def test_the_links_lead_somewhere() -> None:
    """To files of the repository."""
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", TEXT)]

    assert targets
    assert all((PAGE.parent / target).exists() for target in targets)
