"""docs/prune_backups.md agrees with the code, and its examples are valid."""

import json
import re

import jsonschema

from cli.cost import calls
from cli.paths import CHECKOUT
from shared.prune.function import PruneBackupsSettings
from shared.prune.plan import FAILED_KEPT_FOR
from shared.prune.report import REASONS
from shared.prune.request import PruneRequest
from shared.prune.retention import read_retention
from shared.prune.run import PruneOutcome, RunOutcome
from shared.runtime.settings import Settings


PAGE = (CHECKOUT / "docs" / "prune_backups.md").read_text(encoding="utf-8")
SCHEMA = json.loads((CHECKOUT / "docs" / "events" / "dds.backup.pruned.schema.json").read_text(encoding="utf-8"))


def rows(heading: str) -> dict[str, str]:
    """Map the names in the first cell of each row to the rest of the row, for the table whose header is *heading*."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    found = re.finditer(r"^\| ([^|]+) \|(.*)$", table, re.MULTILINE)
    return {name: match[2] for match in found for name in re.findall(r"`([a-zA-Z_]+)", match[1])}


def test_every_setting_is_in_the_table_with_its_default() -> None:
    """The table lists every setting of this function, with its default, and nothing else."""
    own = {name: f for name, f in PruneBackupsSettings.model_fields.items() if name not in Settings.model_fields}

    table = rows("Name | Default")
    assert set(table) == set(own)
    for name, field in own.items():
        assert f"| `{str(field.default).lower()}` |".lower() in f"|{table[name].lower()}"


def test_every_field_of_a_request_is_in_the_table() -> None:
    """The table lists every field and nothing else."""
    assert set(rows("Field")) == set(PruneRequest.model_fields)


def test_every_rule_is_in_the_table() -> None:
    """The table lists every rule as the setting spells it."""
    known = set(
        re.findall(r"[a-z_]+", str(read_retention("last=1 hourly=1 daily=1 weekly=1 monthly=1 yearly=1 max_age=1d")))
    )

    assert set(rows("Rule")) == known - {"d"}


def test_every_outcome_is_in_its_table() -> None:
    """The two tables list every outcome of backups and of runs."""
    assert set(rows("Outcome of a backup")) == {outcome.value for outcome in PruneOutcome}
    assert set(rows("Outcome of a run")) == {outcome.value for outcome in RunOutcome}


def test_every_protection_is_in_the_table() -> None:
    """The table lists every protection. Every reason has a text for people and is in the schema."""
    reasons = set(REASONS)
    protections = set(rows("In the report")) & reasons

    assert protections == reasons - {"no_rule", "max_age", "failed"}
    rules = {"last", "hourly", "daily", "weekly", "monthly", "yearly"}
    assert set(SCHEMA["$defs"]["backup"]["properties"]["reasons"]["items"]["enum"]) == reasons | rules
    assert f"stay for {FAILED_KEPT_FOR.days} days" in " ".join(PAGE.split())


def test_the_examples_fit_the_schema() -> None:
    """The response is what is published, except for region, project and request id."""
    answer, event = (json.loads(example) for example in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    (run,) = answer["runs"]
    data = {name: value for name, value in run.items() if name != "notified"}
    where = {"region": "r", "project_id": "p", "request_id": "i"}

    jsonschema.validate(event, SCHEMA, cls=jsonschema.Draft202012Validator)
    jsonschema.validate(event | {"data": data | where}, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_table_of_calls_is_what_is_computed() -> None:
    """The table holds for twenty kept backups and one due backup for each instance."""
    found = re.findall(r"^\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (\d+) \|$", PAGE, re.MULTILINE)
    table = [tuple(int(cell.replace(",", "")) for cell in row) for row in found]

    assert [row[0] for row in table] == [1, 10, 100, 1000]
    for instances, backups, *made in table:
        run = calls.prune_calls(backups, instances, instances, month=30 * instances)
        assert backups == 21 * instances
        assert made == [run[calls.LIST_BACKUPS], run[calls.LIST_TASKS], run[calls.DELETE], run[calls.PUBLISH]]


def test_the_rules_in_the_text_are_right() -> None:
    """Every example can be pasted into the setting."""
    for text in re.findall(r"`((?:[a-z_]+=[0-9]+[a-z]? ?){2,})`", PAGE):
        if text != "daily=30 weekly=4":  # the example of rejected rules
            assert str(read_retention(text)) == text
