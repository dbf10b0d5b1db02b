"""Variables that look like settings, what a function calls, and the codes of the findings."""

import re

import pytest

from cli.paths import CHECKOUT
from cli.preflight.functions import FUNCTIONS
from cli.preflight.settings import misspelt_settings
from cli.template.load import load_template
from shared.create.function import CreateBackupSettings
from shared.prune.function import PruneBackupsSettings
from shared.runtime.settings import Settings


@pytest.mark.parametrize(
    ("model", "name", "meant", "is_error"),
    [
        (PruneBackupsSettings, "RETENTON", "RETENTION", True),
        (CreateBackupSettings, "MAX_CONCURENCY", "MAX_CONCURRENCY", True),
        (CreateBackupSettings, "ALLOWED_INSTANCE", "ALLOWED_INSTANCES", True),
        (CreateBackupSettings, "Allowed_Instances", "ALLOWED_INSTANCES", True),
        (CreateBackupSettings, "REGOIN", "REGION", True),
        (CreateBackupSettings, "ON_BUSSY", "ON_BUSY", True),
        (CreateBackupSettings, "NOTIFY_TOPIC", "NOTIFY_TOPIC_URN", False),
        (CreateBackupSettings, "NOTIFI_TOPIK_URN", "NOTIFY_TOPIC_URN", False),
        (CreateBackupSettings, "REGION", None, False),
        (CreateBackupSettings, "RETENTION", None, False),
        (CreateBackupSettings, "TZ", None, False),
        (CreateBackupSettings, "MY_OWN", None, False),
    ],
)
def test_a_variable_that_looks_like_a_setting(
    model: type[Settings], name: str, meant: str | None, is_error: bool
) -> None:
    """One edit away is an error. A setting, one of another function, and what resembles none are none of them."""
    assert misspelt_settings(model, [name]) == ([(name, meant, is_error)] if meant else [])


def test_the_operations_are_those_of_the_template() -> None:
    """The tests of the permissions make every call of each function under exactly the template's permissions."""
    template = load_template(CHECKOUT / "template.yaml")

    permitted = {function.code_uri.name: set(function.permissions) for function in template.functions}
    assert permitted == {name: set(known.operations) for name, known in FUNCTIONS.items()}


def test_every_code_is_documented() -> None:
    """docs/deployment.md has a table of the codes, and no other code."""
    page = (CHECKOUT / "docs" / "deployment.md").read_text(encoding="utf-8")
    table = page.partition("| Code | Level |")[2].partition("\n\n")[0]
    files = [file for folder in ("template", "preflight") for file in (CHECKOUT / "cli" / folder).glob("*.py")]
    codes = {
        code for file in files for code in re.findall(r'code(?:: str)? ?= ?"(\w+)"', file.read_text(encoding="utf-8"))
    }

    documented = {code for row in table.splitlines() for code in re.findall(r"`(\w+)`", [*row.split("|"), "", ""][1])}
    assert codes == documented
