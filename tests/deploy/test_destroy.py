"""Deleting what a stack has made, and nothing else."""

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
    """Run the command on the local cloud of the test, with its one way in."""
    monkeypatch.setattr("cli.huaweicloud.access.open_access", lambda _cloud, _region: app.access)

    def run(*arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(main, ["destroy", "--region", "r", *arguments], input=answer)

    return run


@pytest.fixture
def deployed(app: App) -> App:
    app.deploy()
    return app


def everything(app: App) -> dict[str, Any]:
    """All that any stack could have made, as the services list it."""
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
    """And the second time there is nothing to do."""
    before = everything(app)
    app.deploy()
    assert everything(app) != before

    first = destroy("--yes")
    second = destroy("--yes")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert everything(app) == before
    assert "the backups are left" in first.stderr
    assert "Nothing to do" in second.stderr


def test_what_somebody_else_made_stays(deployed: App, destroy: Destroy) -> None:
    """Of another stack, and of nobody's."""
    deployed.stack = "second"
    deployed.values = {"Prefix": "second"}
    deployed.change("FunctionName: backup", "FunctionName: second")
    deployed.deploy()
    first = destroy("--yes")

    assert first.exit_code == 0
    left = everything(deployed)
    assert left["functions"] == {"second"}
    assert left["topics"] == {"dds-backups", "second-events"}


def test_a_subscription_that_goes_with_its_topic_is_told_before(deployed: App, destroy: Destroy) -> None:
    """Though the stack did not make it."""
    from huaweicloudsdksmn.v2 import AddSubscriptionRequest

    body = {"protocol": "sms", "endpoint": "+491234567"}
    urn = deployed.access.topic_urn("dds-events")
    deployed.access.smn.call("add_subscription", AddSubscriptionRequest(topic_urn=urn, body=body))

    result = destroy("--dry-run")

    assert "With its topic goes, though made otherwise: subscription dds-events sms +491234567" in result.stderr


@pytest.mark.parametrize(("answer", "status", "is_left"), [("n\n", 1, True), ("y\n", 0, False)], ids=["no", "yes"])
def test_it_asks(
    deployed: App, destroy: Destroy, monkeypatch: pytest.MonkeyPatch, answer: str, status: int, is_left: bool
) -> None:
    """Before anything is deleted."""
    monkeypatch.setattr("cli.deploy.proceed.is_interactive", lambda: True)

    result = destroy(answer=answer)

    assert result.exit_code == status
    assert ("backup" in everything(deployed)["functions"]) == is_left


@pytest.mark.parametrize(
    "path", ["triggers", "async-invoke", "fgs/functions", "projects/", "agencies", "roles", "topics"]
)
def test_it_goes_on_after_a_failure(deployed: App, cloud: LocalCloud, destroy: Destroy, path: str) -> None:
    """Whether the service deleted it or not."""
    for effect in ({"answer": {"status": 500}}, {"drop": "after"}):
        cloud.set_faults([{"method": "DELETE", "path": path, "nth": 1, **effect}])
        failed = destroy("--yes", "--json")
        assert failed.exit_code == 1
        assert {change["state"] for change in json.loads(failed.stdout)["changes"]} >= {"failed"}
        assert "run the same command again" in " ".join(failed.stderr.split())
        cloud.set_faults([])

        assert destroy("--yes").exit_code == 0
        assert "backup" not in everything(deployed)["functions"]
        deployed.deploy()


def test_what_is_gone_meanwhile_is_deleted(deployed: App, cloud: LocalCloud, destroy: Destroy) -> None:
    """404 to a deletion is as good as any answer."""
    cloud.set_faults([{"method": "DELETE", "answer": {"status": 404}}])

    assert destroy("--yes").exit_code == 0
