"""docs/drill_backups.md agrees with the code, and its examples are valid."""

import json
import re
from datetime import timedelta

import jsonschema
import pytest

from cli.paths import CHECKOUT
from shared.drill import function, interlocks, lifecycle, service, starting
from shared.drill.function import DrillBackupsSettings
from shared.drill.lifecycle import Step
from shared.drill.report import SlotState
from shared.drill.request import DrillRequest
from shared.drill.starting import LAST_BEGIN
from shared.drills import GRACE
from shared.notify import HEADLINES, severity_of
from shared.runtime.settings import Settings
from tests.drill.mutants import MUTANTS


PAGE = (CHECKOUT / "docs" / "drill_backups.md").read_text(encoding="utf-8")
KINDS = [kind for kind in HEADLINES if kind.startswith("dds.drill.")]


def rows(heading: str) -> dict[str, str]:
    """Map the names in the first cell of each row to the rest of the row, for the table whose header is *heading*."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    found = re.finditer(r"^\| ([^|]+) \|(.*)$", table, re.MULTILINE)
    return {name: match[2] for match in found for name in re.findall(r"`([a-zA-Z_.]+)`", match[1])}


def written(value: object) -> str:
    """Write a default as the setting is written."""
    if isinstance(value, timedelta):
        days, hours, minutes = value.days, value.seconds // 3600, value.seconds % 3600 // 60
        return f"{days}d" if days else f"{hours}h" if hours else f"{minutes}m"
    return str(value).lower() if value is not None else "none"


def test_every_setting_is_in_the_table_with_its_default() -> None:
    """The table lists every setting of this function, with its default, and nothing else."""
    own = {name: f for name, f in DrillBackupsSettings.model_fields.items() if name not in Settings.model_fields}

    table = rows("Name | Default")
    assert set(table) == set(own)
    for name, field in own.items():
        assert table[name].split("|")[0].strip().strip("`") == written(field.default)


def test_every_field_of_a_request_is_in_the_table() -> None:
    """The table lists every field and nothing else."""
    assert set(rows("Field")) == set(DrillRequest.model_fields)


def codes(*names: str) -> set[str]:
    """The codes of the interlocks in the sources of modules."""
    texts = [(CHECKOUT / "shared" / "drill" / f"{name}.py").read_text(encoding="utf-8") for name in names]
    return set(re.findall(r'Interlock\(\s*"([a-z_]+)"', "".join(texts)))


def test_every_interlock_is_in_a_table() -> None:
    """The tables list every code that the sources have, and nothing else."""
    begin, touch = rows("`code` | A drill does not begin because"), rows("`code` | What does not agree")

    assert {*begin, *touch} - {"dry_run", "unrestorable"} == codes("interlocks", "starting")


def test_every_state_and_step_is_named() -> None:
    """The table lists the states of slots, the text the steps of drills."""
    assert set(rows("State of a slot")) == {state.value for state in SlotState}
    assert all(f"`{step.value}`" in PAGE for step in Step)


def test_every_type_is_in_the_table_with_its_severity() -> None:
    """It links the schema of each."""
    table = re.findall(r"^\| \[`(dds\.drill\.[a-z]+)`\]\(events/(\S+)\) \|.*\| `([a-z]+)`[^|]*\|$", PAGE, re.MULTILINE)

    assert [kind for kind, _, _ in table] == KINDS
    for kind, schema, severity in table:
        assert schema == f"{kind}.schema.json"
        assert (CHECKOUT / "docs" / "events" / schema).exists()
        assert severity_of(kind, "") == severity


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_one(kind: str) -> None:
    """Each has a description of every field."""
    schema = json.loads((CHECKOUT / "docs" / "events" / f"{kind}.schema.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(schema)
    assert all("description" in field for field in schema["properties"]["data"]["properties"].values())


def test_the_example_fits_its_schema() -> None:
    """The first example is a report, the second an event."""
    report, event = (json.loads(example) for example in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))

    schema = json.loads((CHECKOUT / "docs" / "events" / f"{event['type']}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(event, schema, cls=jsonschema.Draft202012Validator)
    assert report["drills"][0]["checks"] == event["data"]["checks"]


def test_the_request_in_the_text_is_valid() -> None:
    """It can be pasted."""
    (request,) = re.findall(r'`(\{"instance_ids".*?\})`', PAGE)

    assert DrillRequest.model_validate_json(request).at


def test_the_figures_in_the_text_are_those_of_the_code() -> None:
    """A quarter of an hour, ten minutes, an hour, eight days, ten faults."""
    assert timedelta(minutes=15) == GRACE
    assert timedelta(minutes=10) == LAST_BEGIN
    assert timedelta(hours=1) == lifecycle.CHECKS_WITHIN == service.AT_SLOT
    assert timedelta(days=8) == service._RECENT
    assert timedelta(minutes=30) == function._LONGEST_PERIOD
    assert interlocks.FULL_BIN == 80
    assert starting.FRESH == 60
    assert len(MUTANTS) == 10
