"""What is installed is what was locked: every requirement pinned, and every pin hashed."""

from pathlib import Path

import pytest

from tests.supply_chain.pins import Pin, read_pins


ROOT = Path(__file__).parent.parent.parent
DEPLOYED = read_pins(ROOT / "requirements.txt")
TOOLS = read_pins(ROOT / "requirements-dev.txt")


@pytest.mark.parametrize("pins", [DEPLOYED, TOOLS], ids=["deployed", "tools"])
def test_every_requirement_is_pinned_and_hashed(pins: list[Pin]) -> None:
    """To one version, by SHA-256."""
    assert pins
    assert [pin.name for pin in pins if pin.version is None] == []
    assert [pin.name for pin in pins if not pin.hashes or any(not h.startswith("sha256:") for h in pin.hashes)] == []


def test_the_sdk_is_on_one_version() -> None:
    """Its packages share modules, and are only tested together."""
    sdk = {pin.version for pin in [*DEPLOYED, *TOOLS] if pin.name.startswith("huaweicloudsdk")}

    assert len(sdk) == 1


def test_the_tools_are_tested_with_what_is_deployed() -> None:
    """The same versions, hashes and markers in both files."""
    tools = {(pin.name, pin.version): pin.hashes for pin in TOOLS}

    for pin in DEPLOYED:
        assert tools[pin.name, pin.version] == pin.hashes


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_has_what_was_asked_for(name: str) -> None:
    """Whoever changes the .in file has to lock it again."""
    asked = (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in asked if line.strip() and line[0] not in "#-"]
    locked = {pin.name: pin for pin in read_pins(ROOT / f"{name}.txt")}

    for line in wanted:
        package, _, version = line.partition("==")
        pin = locked[package.partition("[")[0].lower()]
        assert not version or pin.version == version


def test_a_requirement_without_hash_or_pin_is_seen(tmp_path: Path) -> None:
    """The reader of these tests can tell."""
    file = tmp_path / "requirements.txt"
    file.write_text(
        "# a comment\none==1.0 ; python_version < '3.11' \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\ntwo>=2\n"
    )

    one, two = read_pins(file)

    assert (one.name, one.version, one.hashes) == ("one", "1.0", ("sha256:ab", "sha256:cd"))
    assert (two.version, two.hashes) == (None, ())
