"""The README says what the code does."""

import re
from pathlib import Path

import pytest

from shared import errors
from shared.create.function import CreateBackupSettings
from shared.create.report import Outcome
from shared.create.request import BackupRequest
from shared.notify import DEFERRED, FAILED, REJECTED, SKIPPED, STARTED


README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """The first column of the table under a heading of that name, and the rest of each row."""
    table = README.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return {match[1]: match[2] for match in re.finditer(r"^\| `([^`]+)` \|(.*)$", table, re.MULTILINE)}


def test_every_setting_is_in_the_table_with_its_default() -> None:
    """Neither more nor fewer."""
    table = rows("Name | Default")

    assert set(table) == set(CreateBackupSettings.model_fields)
    for name, field in CreateBackupSettings.model_fields.items():
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            assert f"`{field.default:g}`" in table[name]


def test_every_field_of_a_request_is_in_the_table() -> None:
    """instance_id stands beside instance_ids."""
    assert set(rows("Field")) | {"instance_id"} == set(BackupRequest.model_fields)


def test_every_outcome_is_in_the_table() -> None:
    """Neither more nor fewer."""
    assert set(rows("Outcome")) == {outcome.value for outcome in Outcome}


def leaves(kind: type[errors.BackupError]) -> set[type[errors.BackupError]]:
    """The errors without subclasses."""
    below = kind.__subclasses__()
    return set().union(*map(leaves, below)) if below else {kind}


def test_every_code_is_in_the_table() -> None:
    """Those of the error tree, and those that name no error."""
    raised = {"invalid_settings", "no_credentials", "unfinished"}
    other = {
        "not_allowed",
        "invalid_instance_id",
        "name_conflict",
        "backup_failed",
        "out_of_time",
        "min_interval",
        "instance_status",
        "internal_error",
    }
    codes = {kind.code for kind in leaves(errors.BackupError)} - raised

    assert set(rows("Code")) == codes | other


@pytest.mark.parametrize("kind", [STARTED, SKIPPED, DEFERRED, FAILED, REJECTED])
def test_every_announcement_is_named(kind: str) -> None:
    """By its CloudEvents type."""
    assert f"`{kind}`" in README


@pytest.mark.parametrize("name", ["UnfinishedEventError", "SettingsError", "CredentialsError"])
def test_what_is_raised_is_named(name: str) -> None:
    """As it appears in FunctionGraph's errorType."""
    assert f"`{name}`" in README
    assert hasattr(errors, name)


def test_the_tree_at_the_top_of_the_errors_is_the_tree() -> None:
    """Every class is drawn with its code."""
    drawn = dict(re.findall(r"(\w+Error)\s+(\w+)", str(errors.__doc__)))

    for kind in leaves(errors.BackupError):
        assert drawn[kind.__name__] == kind.code
