"""Two stacks of one template in one project, told apart by their prefixes."""

from dataclasses import replace

import pytest

from cli.deploy.deployment import destroy_stack
from cli.huaweicloud.invocations import DeployedFunction
from tests.deploy.conftest import App, Output, kinds_there


SOURCE = """\
def handler(event, context):
    return {"topic": context.getUserData("NOTIFY_TOPIC_URN"), "function": context.getFunctionName()}


def initializer(context): ...
"""


@pytest.fixture
def both(app: App, document: Output) -> tuple[App, App]:
    """The application, deployed as production and as staging."""
    app.change("FunctionName: backup", "FunctionName: ${FunctionPrefix}backup")
    app.change("Parameters:\n", 'Parameters:\n  FunctionPrefix: {Type: String, Default: ""}\n')
    app.leave_the_vpc()
    app.source = SOURCE
    staging = replace(app, stack="staging", values={"FunctionPrefix": "staging-", "Prefix": "staging"})
    for one in (app, staging):
        one.deploy()
        assert {change["state"] for change in document()["changes"]} == {"done"}
    return app, staging


def run(app: App, name: str) -> dict[str, str]:
    """Invoke a deployed function."""
    result = DeployedFunction(app.access, name, None).invoke("{}").result
    assert isinstance(result, dict)
    return {name: str(value) for name, value in result.items()}


def test_both_run_and_one_can_go(both: tuple[App, App], document: Output) -> None:
    """Each has its own function and topic. Without one, the other is as it was."""
    production, staging = both
    here = production.access.topic_urn("")
    ran = [run(production, name) for name in ("backup", "staging-backup")]
    whole = kinds_there(production)
    destroy_stack(staging.access, "staging", dry_run=False, yes=True, as_json=True)
    gone = document()
    production.deploy()

    assert ran == [
        {"topic": f"{here}dds-events", "function": "backup"},
        {"topic": f"{here}staging-events", "function": "staging-backup"},
    ]
    assert {change["state"] for change in gone["changes"]} == {"done"}
    assert kinds_there(staging) == []
    assert document()["changes"] == []
    assert kinds_there(production) == whole
    assert run(production, "backup")["function"] == "backup"
