"""docs/audit_backups.md agrees with the code, and its examples are valid."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cli.cost import calls
from cli.paths import CHECKOUT
from cli.template.load import find_function, load_template
from shared.audit.audit import Verdict
from shared.audit.document import serialize_audit
from shared.audit.function import AuditBackupsSettings
from shared.audit.request import AuditRequest, Policy
from shared.runtime.settings import Settings
from shared.triggers.envelope import validate
from tests.audit.fleet import audit


PAGE = (CHECKOUT / "docs" / "audit_backups.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
REQUESTS = [block for block in BLOCKS if "policies" in block]
EVENTS = [block for block in BLOCKS if "specversion" in block]


def rows(heading: str) -> dict[str, list[str]]:
    """Map the first cell of each row to the other cells, for the table whose header starts with *heading*."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in table)
    return {first.strip("`"): rest for first, *rest in cells}


def test_every_setting_is_in_the_table_with_its_default() -> None:
    """The table lists every setting of this function, with its default, and nothing else."""
    assert {name: row[0] for name, row in rows("Name").items()} == {
        "STUCK_AFTER": "`6h`",
        "BACKUP_TAG": f"`{AuditBackupsSettings.model_fields['BACKUP_TAG'].default}`",
        "MAX_FINDINGS_PUBLISHED": f"`{AuditBackupsSettings.model_fields['MAX_FINDINGS_PUBLISHED'].default}`",
        "DRILL_MAX_AGE": "`6h`",
    }
    assert set(rows("Name")) == set(AuditBackupsSettings.model_fields) - set(Settings.model_fields)


def test_every_field_of_the_request_is_in_the_table() -> None:
    """The table lists every field of the request and of a policy, and nothing else."""
    assert set(rows("Field")) == set(AuditRequest.model_fields) | {f"policies[].{name}" for name in Policy.model_fields}


def test_every_list_of_the_report_is_in_the_table() -> None:
    """The table lists every list of findings, and the page names every verdict."""
    document = serialize_audit(audit([]), most=1)

    assert set(rows("In the report")) == {name for name, value in document.items() if isinstance(value, list)} - {
        "policies",
        "cut",
    }
    assert all(f"`{verdict.value}`" in PAGE for verdict in Verdict)


@pytest.mark.parametrize("request_", REQUESTS, ids=range(len(REQUESTS)))
def test_every_request_on_the_page_is_valid(request_: Any) -> None:
    """Each request passes validation and fits into the user event of a timer."""
    assert validate(request_, AuditRequest).policies
    assert len(json.dumps(request_).encode()) < 2048


def test_about_twenty_policies_fit_a_timer() -> None:
    """Twenty policies of the recipe fit into the 2 KB of a user event."""
    policy = {"name": "nightly-00", "select": {"tags": {"backup": ["nightly-00"]}}, "expected_interval": "1d"}

    assert len(json.dumps({"policies": [policy] * 20}, separators=(",", ":")).encode()) < 2048


def test_the_event_on_the_page_fits_its_schema() -> None:
    """A consumer can validate the example with the published schema."""
    (event,) = EVENTS
    schema = Path(CHECKOUT / "docs" / "events" / f"{event['type']}.schema.json").read_text(encoding="utf-8")

    Draft202012Validator(json.loads(schema)).validate(event)


def test_the_table_of_calls_is_what_is_computed() -> None:
    """The page has the numbers that cli/cost computes. test_claim.py counts the calls."""

    def row(n: int) -> list[str]:
        audits = [calls.audit_calls(n, backups * n) for backups in (1, 7, 26)]
        lists = [audit[calls.LIST_BACKUPS] for audit in audits]
        return [*map(str, (audits[0][calls.LIST_INSTANCES], *lists)), f"{audits[0][calls.PUBLISH]} + F"]

    table = {int(n.replace(",", "")): cells for n, cells in rows("N").items()}
    assert table == {n: row(n) for n in (1, 10, 100, 1000)}


def test_the_timer_of_the_template_is_a_valid_request() -> None:
    """The user event in template.yaml is a valid request, and the function has a failure destination."""
    function = find_function(load_template(CHECKOUT / "template.yaml"), "audit_backups")
    (timer,) = function.events

    request = validate(json.loads(str(timer.properties["user_event"])), AuditRequest)
    assert [policy.name for policy in request.policies] == ["nightly"]
    assert function.async_invoke
    assert function.async_invoke.on_failure


@pytest.mark.parametrize("name", ["timer", "direct"])
def test_the_samples_are_valid_requests(name: str) -> None:
    """The sample events of this function hold valid requests."""
    event = json.loads((CHECKOUT / "events" / f"audit_backups-{name}.json").read_text(encoding="utf-8"))

    assert validate(json.loads(event["user_event"]) if name == "timer" else event, AuditRequest).policies
