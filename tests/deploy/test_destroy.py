"""Deleting what a stack has created, and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from localcloud import LocalCloud
from tests.deploy.conftest import App


Destroy = Callable[..., Result]


@pytest.fixture
def destroy(app: App, monkeypatch: pytest.MonkeyPatch) -> Destroy:
    """Run the command with the access of the test."""
    monkeypatch.setattr("cli.huaweicloud.access.open_access", lambda _cloud, _region: app.access)

    def run(*arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(main, ["destroy", "--region", "r", *arguments], input=answer)

    return run


def everything(app: App) -> dict[str, Any]:
    """All resources that any stack could have created, as the services list them."""
    from huaweicloudsdkfunctiongraph.v2 import ListFunctionsRequest
    from huaweicloudsdkiam.v3 import ListAgenciesRequest, ListCustomPoliciesRequest
    from huaweicloudsdksmn.v2 import ListSubscriptionsRequest, ListTopicsRequest

    access = app.access
    topics = access.smn.call("list_topics", ListTopicsRequest())["topics"]
    subscriptions = access.smn.call("list_subscriptions", ListSubscriptionsRequest())["subscriptions"]
    functions = access.functiongraph.call("list_functions", ListFunctionsRequest())["functions"]
    agencies = access.iam.call("list_agencies", ListAgenciesRequest(domain_id=access.domain_id))["agencies"]
    policies = access.iam.call("list_custom_policies", ListCustomPoliciesRequest())["roles"]
    return {
        "topics": {item["name"] for item in topics},
        "subscriptions": {(item["topic_urn"], item["endpoint"]) for item in subscriptions},
        "functions": {item["func_name"] for item in functions},
        "agencies": {item["name"] for item in agencies},
        "policies": {item["display_name"] for item in policies},
    }


def test_nothing_of_the_stack_is_left(app: App, destroy: Destroy) -> None:
    """A second run has nothing to do."""
    before = everything(app)
    app.deploy()
    assert everything(app) != before

    first = destroy("--yes")
    second = destroy("--yes")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert everything(app) == before
    assert "the backups are kept" in first.stderr
    assert "Nothing to do" in second.stderr


@pytest.mark.usefixtures("deployed")
def test_an_unknown_stack_says_which_there_are(destroy: Destroy) -> None:
    """Nothing is deleted, and the status is that of a repeated run."""
    result = destroy("--stack-name", "nosuch", "--yes")

    assert result.exit_code == 0
    assert "There is no stack nosuch. There are: dds-backup" in result.stderr


def test_resources_of_others_stay(deployed: App, destroy: Destroy) -> None:
    """Both those of another stack and those without a stack."""
    deployed.stack = "second"
    deployed.values = {"Prefix": "second"}
    deployed.change("FunctionName: backup", "FunctionName: second")
    deployed.deploy()
    first = destroy("--yes")

    assert first.exit_code == 0
    left = everything(deployed)
    assert left["functions"] == {"second"}
    assert left["topics"] == {"dds-backups", "second-events"}


def test_a_foreign_subscription_is_announced_before_its_topic_is_deleted(deployed: App, destroy: Destroy) -> None:
    """The stack did not create it."""
    from huaweicloudsdksmn.v2 import AddSubscriptionRequest

    body = {"protocol": "sms", "endpoint": "+491234567"}
    urn = deployed.access.topic_urn("dds-events")
    deployed.access.smn.call("add_subscription", AddSubscriptionRequest(topic_urn=urn, body=body))

    result = destroy("--dry-run")

    assert (
        "Deleted with its topic, although the stack did not create it: subscription dds-events sms +491234567"
        in result.stderr
    )


@pytest.mark.parametrize(("answer", "status", "is_left"), [("n\n", 1, True), ("y\n", 0, False)], ids=["no", "yes"])
def test_it_asks_for_confirmation(
    deployed: App, destroy: Destroy, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, is_left: bool
) -> None:
    """A no deletes nothing."""
    monkeypatch.setattr("cli.deploy.deployment.is_interactive", lambda: True)

    result = destroy(answer=answer)

    assert result.exit_code == status
    assert ("backup" in everything(deployed)["functions"]) == is_left


PATHS = ("triggers", "async-invoke", "fgs/functions", "projects/", "agencies", "roles", "topics")
"""A path of each deletion, in the order of the deletions."""


@pytest.mark.parametrize("effect", [{"answer": {"status": 500}}, {"drop": "after"}], ids=["broken", "no response"])
def test_it_continues_after_a_failure(
    deployed: App, cloud: LocalCloud, destroy: Destroy, effect: dict[str, Any]
) -> None:
    """Deletion after deletion fails, whether or not the service carried it out, and all is gone in the end."""
    for path in PATHS:
        cloud.set_faults([{"method": "DELETE", "path": path, "nth": 1, **effect}])
        failed = destroy("--yes", "--json")
        assert failed.exit_code == 1
        assert {change["state"] for change in json.loads(failed.stdout)["changes"]} >= {"failed"}, path
        assert "run the same command again" in " ".join(failed.stderr.split())
    cloud.set_faults([])

    assert destroy("--yes").exit_code == 0
    assert "backup" not in everything(deployed)["functions"]
    assert everything(deployed)["topics"] == {"dds-backups"}


def test_a_missing_resource_counts_as_deleted(deployed: App, cloud: LocalCloud, destroy: Destroy) -> None:
    """A deletion accepts 404."""
    cloud.set_faults([{"method": "DELETE", "answer": {"status": 404}}])

    assert destroy("--yes").exit_code == 0
