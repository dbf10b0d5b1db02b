"""docs/create_backup.md says what the code does, and its examples are valid."""

import json
import re

import jsonschema
import pytest

from cli.paths import CHECKOUT
from shared import errors
from shared.create.function import CreateBackupSettings
from shared.create.report import Outcome
from shared.create.request import BackupRequest
from shared.notify import DEFERRED, FAILED, REJECTED, SKIPPED, STARTED
from shared.runtime.settings import Settings


PAGE = (CHECKOUT / "docs" / "create_backup.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


def rows(heading: str) -> dict[str, str]:
    """Maps the first cell of each row to the rest of the row, for the table whose header starts with *heading*."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return {match[1]: match[2] for match in re.finditer(r"^\| `([^`]+)` \|(.*)$", table, re.MULTILINE)}


def test_every_setting_is_in_the_table_with_its_default() -> None:
    """The table lists every setting and nothing else."""
    table = rows("Name | Default")

    assert set(table) == set(CreateBackupSettings.model_fields)
    for name, field in CreateBackupSettings.model_fields.items():
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            assert f"`{field.default:g}`" in table[name]


def test_the_settings_of_all_functions_are_named() -> None:
    """The sentence above the table lists exactly the settings that the functions share."""
    sentence = PAGE.partition("All functions read")[2].partition(".")[0]

    assert set(re.findall(r"`(\w+)`", sentence)) == set(Settings.model_fields)


def test_every_field_of_a_request_is_in_the_table() -> None:
    """The row of instance_ids also describes instance_id."""
    assert set(rows("Field")) | {"instance_id"} == set(BackupRequest.model_fields)


def test_every_outcome_is_in_the_table() -> None:
    """The table lists every outcome and nothing else."""
    assert set(rows("Outcome")) == {outcome.value for outcome in Outcome}


def test_every_code_is_in_the_table() -> None:
    """The table lists the codes of the error tree and the codes that have no error class."""
    raised = {"invalid_settings", "no_credentials", "unfinished", "unrestorable"}
    other = {
        "not_allowed",
        "invalid_instance_id",
        "name_conflict",
        "backup_failed",
        "backup_deleted",
        "out_of_time",
        "min_interval",
        "instance_status",
        "drill",
        "internal_error",
    }
    kinds = [kind for kind in vars(errors).values() if getattr(kind, "code", None) and not kind.__subclasses__()]
    codes = {kind.code for kind in kinds} - raised

    assert set(rows("Code")) == codes | other


@pytest.mark.parametrize("kind", [STARTED, SKIPPED, DEFERRED, FAILED, REJECTED])
def test_every_notification_is_named(kind: str) -> None:
    """The page names the CloudEvents type and links its schema."""
    assert f"`{kind}`" in PAGE
    assert f"(events/{kind}.schema.json)" in PAGE


@pytest.mark.parametrize("name", ["UnfinishedEventError", "SettingsError", "CredentialsError"])
def test_every_exception_is_named(name: str) -> None:
    """The page names each exception as FunctionGraph's errorType shows it."""
    assert f"`{name}`" in PAGE
    assert hasattr(errors, name)


def test_every_request_on_the_page_is_valid() -> None:
    """The two example requests pass validation."""
    requests = [example for example in EXAMPLES if {"instance_ids", "select"} & set(example)]

    assert len(requests) == 2
    for request in requests:
        BackupRequest.model_validate(request)


def test_the_event_on_the_page_fits_its_schema() -> None:
    """A consumer can validate the example with the published schema."""
    (event,) = [example for example in EXAMPLES if "specversion" in example]
    schema = json.loads((CHECKOUT / "docs" / "events" / f"{event['type']}.schema.json").read_text(encoding="utf-8"))

    jsonschema.validate(event, schema, cls=jsonschema.Draft202012Validator)
