"""Retention, audit and tracking are rehearsed by moving the clock of the local cloud."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cli.cloud import Cloud, open_cloud
from cli.functions import function_settings, function_spec
from cli.paths import CHECKOUT
from cli.template.load import find_function, load_template
from localcloud import LocalCloud
from localcloud.functiongraph.runtime.instance import Instance


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
DAY = 86_400
TEMPLATE = load_template(Path(CHECKOUT) / "template.yaml")


class Rehearsal:
    """Warm instances of the functions, which the runtime of the local cloud runs."""

    def __init__(self, local: LocalCloud, cloud: Cloud, instances: Mapping[str, Instance]) -> None:
        self.local = local
        self._cloud = cloud
        self._instances = instances

    def run(self, function: str, event: dict[str, Any]) -> Any:
        """Return the result of a direct call."""
        invocation = self._instances[function].invoke(
            json.dumps(event), self._cloud.temporary_credentials(), clock_offset=self._cloud.clock_offset()
        )
        assert invocation.ok, invocation.error
        return invocation.result

    def told(self) -> list[str]:
        """Return the types of the published notifications, oldest first."""
        return [json.loads(message["message"])["type"] for message in self.local.messages()]


@pytest.fixture
def rehearsal(cloud: LocalCloud) -> Iterator[Rehearsal]:
    """Return the functions of the template."""
    with ExitStack() as stack:
        client = stack.enter_context(open_cloud(cloud.url))
        instances = {}
        given = {"RETENTION": "last=1", "DRY_RUN": "false"}
        for name in ("create_backup", "audit_backups", "prune_backups"):
            function = find_function(TEMPLATE, name)
            settings = function_settings(function, TEMPLATE.topics, client.connection, given)
            instance = Instance(function_spec(function), settings, client.connection.project_id)
            instances[name] = stack.enter_context(instance)
        yield Rehearsal(cloud, client, instances)


def test_days_pass(rehearsal: Rehearsal) -> None:
    """After days without a backup the audit says that it is missed, and pruning deletes what no rule keeps."""
    audit = {
        "policies": [{"name": "nightly", "instance_ids": [ORDERS], "expected_interval": "1d"}],
    }
    made = []
    for _ in range(3):
        result = rehearsal.run("create_backup", {"instance_ids": [ORDERS]})
        made.append(result["results"][0]["backup_id"])
        rehearsal.local.advance(3600)
        rehearsal.run("audit_backups", audit)
        rehearsal.local.advance(2 * DAY)
    before = rehearsal.told()
    rehearsal.run("audit_backups", audit)
    missed = rehearsal.told()[len(before) :]
    rehearsal.run("prune_backups", {"dry_run": False})

    assert "dds.backup.missed" not in before
    assert "dds.backup.missed" in missed
    there = {backup["id"] for backup in rehearsal.local.backups() if backup["status"] != "DISABLED"}
    assert [backup in there for backup in made] == [False, False, True]
