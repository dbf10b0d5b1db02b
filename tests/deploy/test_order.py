"""The order of the steps: nobody works with less than the running code needs, or stops being told."""

from typing import Any

import pytest

from cli.deploy.deployment import look_up, services
from cli.huaweicloud.resources import Kind
from localcloud import LocalCloud
from tests.deploy.conftest import App, Output, steps


LOST, GAINED = "dds:backup:list", "dds:backup:delete"
NEWCOMER = ("Endpoint: dba@example.com", "Endpoint: team@example.com")


def actions(app: App) -> set[str]:
    """The actions that the policy of the stack allows."""
    [policy] = [
        item for item in look_up(services(app.access, app.stack), app.stack) if item.resource.kind is Kind.POLICY
    ]
    document: Any = policy.resource.fields["policy"]
    return {action for statement in document["Statement"] for action in statement["Action"]}


def confirm(app: App, cloud: LocalCloud, endpoint: str) -> None:
    """Confirm a subscription, as the owner of the mailbox does."""
    for item in subscriptions(app):
        if item.resource.name.endswith(endpoint):
            cloud.confirm(item.id)


def subscriptions(app: App) -> list[Any]:
    found = look_up(services(app.access, app.stack), app.stack)
    return [item for item in found if item.resource.kind is Kind.SUBSCRIPTION]


def endpoints(app: App) -> set[str]:
    return {item.resource.name.rpartition(" ")[2] for item in subscriptions(app)}


def test_a_policy_loses_actions_after_the_new_code(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """If the upload fails, the old code still has what it calls, and the next run completes the change."""
    deployed.source += "# new\n"
    deployed.change("DDS.ListBackups, ", "DDS.DeleteManualBackup, ")
    cloud.set_faults([{"method": "PUT", "path": "/code$", "answer": {"status": 500}}])

    with pytest.raises(SystemExit):
        deployed.deploy()

    run = document()
    assert [(change["kind"], change["state"]) for change in run["changes"]] == [
        ("policy", "done"),
        ("function", "failed"),
        ("policy", "not begun"),
    ]
    assert actions(deployed) >= {LOST, GAINED}
    cloud.set_faults([])
    deployed.deploy()
    assert steps(document()) == [("update", "function"), ("update", "policy")]
    assert GAINED in actions(deployed)
    assert LOST not in actions(deployed)
    deployed.deploy()
    assert document()["changes"] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("DDS.ListBackups, ", "DDS.DeleteManualBackup, "), ("[DDS.", "[DDS.DeleteManualBackup, DDS.")],
    ids=["no function changes", "an action is added"],
)
def test_a_policy_changes_in_one_step_where_that_is_enough(deployed: App, document: Output, old: str, new: str) -> None:
    """There is no code to wait for, or nothing is taken away."""
    if old == "[DDS.":
        deployed.source += "# new\n"
    deployed.change(old, new)

    deployed.deploy()

    assert steps(document()).count(("update", "policy")) == 1
    assert GAINED in actions(deployed)


def test_a_subscription_stays_until_its_replacement_is_confirmed(
    deployed: App, cloud: LocalCloud, document: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    """--prune says that it leaves it, and deletes it once the new one receives messages."""
    confirm(deployed, cloud, "dba@example.com")
    deployed.change(*NEWCOMER)

    for _ in range(2):
        deployed.deploy(prune=True)
        out = capsys.readouterr()
        assert "! kept     subscription dds-events email dba@example.com" in out.err
        assert "again with --prune" in out.err
        assert endpoints(deployed) == {"dba@example.com", "team@example.com"}
    confirm(deployed, cloud, "team@example.com")
    deployed.deploy(prune=True)

    assert steps(document()) == [("delete", "subscription")]
    assert endpoints(deployed) == {"team@example.com"}


def test_a_subscription_that_nobody_has_confirmed_is_pruned(deployed: App, document: Output) -> None:
    """Its owner is not told anyway."""
    deployed.change(*NEWCOMER)

    deployed.deploy(prune=True)

    assert document()["awaiting"] == []
    assert endpoints(deployed) == {"team@example.com"}


def test_a_subscription_without_a_replacement_is_pruned(deployed: App, cloud: LocalCloud, document: Output) -> None:
    """The template wants no other one, so there is nothing to wait for."""
    confirm(deployed, cloud, "dba@example.com")
    start, end = deployed.text.index("      Subscriptions:\n"), deployed.text.index("  Backup:\n")
    deployed.text = deployed.text[:start] + deployed.text[end:]

    deployed.deploy(prune=True)

    assert document()["awaiting"] == []
    assert endpoints(deployed) == set()
