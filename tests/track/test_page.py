"""docs/track_backups.md agrees with the code, and its examples are valid."""

import json
import re
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from cli.cost import calls
from cli.paths import CHECKOUT
from shared.fields import Interval
from shared.runtime.settings import Settings
from shared.track.function import TrackBackupsSettings
from shared.track.report import State
from shared.track.request import TrackRequest


PAGE = (CHECKOUT / "docs" / "track_backups.md").read_text(encoding="utf-8")
EXAMPLES: list[Any] = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def rows(heading: str) -> dict[str, str]:
    """Map the first cell of each row to the rest of the row, for the table whose header starts with *heading*."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return {match[1]: match[2] for match in re.finditer(r"^\| (`[^|]+`|[^|]+?) \|(.*)$", table, re.MULTILINE)}


def test_every_setting_is_on_the_page_with_its_default() -> None:
    """The table lists every setting of this function, with its default, and nothing else."""
    table = {name.strip("`"): rest for name, rest in rows("Name").items() if name.startswith("`")}

    assert set(table) == TrackBackupsSettings.model_fields.keys() - Settings.model_fields.keys()
    for name, rest in table.items():
        default, text = TrackBackupsSettings.model_fields[name].default, rest.split("`")[1]
        read = TypeAdapter(Interval).validate_python(text) if isinstance(default, timedelta) else int(text)
        assert read == default


def test_every_field_of_a_request_is_on_the_page() -> None:
    """The table lists every field and nothing else."""
    fields = {name for row in rows("Field") for name in re.findall(r"`(\w+)`", row)}

    assert fields == TrackRequest.model_fields.keys()


def test_every_state_is_on_the_page() -> None:
    """The table lists every state and nothing else."""
    assert {row.strip("`") for row in rows("State") if row.startswith("`")} == {state.value for state in State}


def test_the_event_on_the_page_fits_its_schema() -> None:
    """A consumer can validate the example with the published schema."""
    event = next(example for example in EXAMPLES if "specversion" in example)
    schema = json.loads((CHECKOUT / "docs" / "events" / f"{event['type']}.schema.json").read_text(encoding="utf-8"))

    jsonschema.validate(event, schema, cls=jsonschema.Draft202012Validator)


def test_every_request_on_the_page_is_valid() -> None:
    """The requests within the text pass validation."""
    requests = re.findall(r'`(\{"(?:since|job_id|backup_id)[^`]*\})`', PAGE)

    assert len(requests) == 2
    for text in requests:
        TrackRequest.model_validate_json(text)


@pytest.mark.parametrize(("row", "operation"), [("list backups", calls.LIST_BACKUPS), ("list tasks", calls.LIST_TASKS)])
def test_the_table_of_calls_is_what_is_computed(row: str, operation: str) -> None:
    """The table holds for a timer event after two nights in which every instance was backed up."""
    (cells,) = [rest for name, rest in rows("Calls").items() if name.startswith(row)]

    computed = [calls.track_calls(listed=2 * n, happened=n, tasks=n)[operation] for n in (1, 10, 100, 1000)]
    assert [int(cell) for cell in cells.strip(" |").split("|")] == computed
