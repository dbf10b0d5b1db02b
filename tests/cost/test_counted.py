"""The prediction equals the count: a day of the whole application on the local cloud, through the official SDK."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cli.cost import calls
from cli.cost.inputs import MONTH, Assumptions
from cli.cost.month import plan_month
from cli.paths import CHECKOUT
from cli.template.load import load_template
from cli.template.model import Function, Template
from localcloud import LocalCloud
from localcloud.seed import Seed, load_seed
from shared import bootstrap
from shared.cloud import dds
from tests.deliveries import CloudClock
from tests.fakes import FakeContext, Steady
from tests.triggers import documented as doc


DAY = timedelta(days=1)
KEPT = 5
OPERATIONS = {
    ("POST", r"/backups$"): calls.CREATE,
    ("GET", r"/backups$"): calls.LIST_BACKUPS,
    ("DELETE", r"/backups/[^/]+$"): calls.DELETE,
    ("GET", r"/instances$"): calls.LIST_INSTANCES,
    ("GET", r"/jobs$"): calls.LIST_TASKS,
    ("POST", r"/publish$"): calls.PUBLISH,
}


def fleet(instances: int) -> Seed:
    """Instances that this application backed up on each of the last nights."""
    ids = [f"{number:032x}in02" for number in range(instances)]
    seed = load_seed().model_dump()
    seed["instances"] = [{"id": one, "name": f"db-{one[:32]}", "mode": "Single", "days_old": 99} for one in ids]
    seed["backups"] = [
        {
            "id": f"{place:016x}{night:016x}br02",
            "name": f"nightly-{place}-{night}",
            "instance_id": one,
            "description": f"stack:dds-backup;key:{'0' * 32}",
            "days_old": night + 1,
        }
        for place, one in enumerate(ids)
        for night in range(KEPT)
    ]
    return Seed.model_validate(seed)


def template_of(settings: dict[str, str]) -> Template:
    """The application's template with these settings of prune_backups."""
    template = load_template(CHECKOUT / "template.yaml")

    def changed(function: Function) -> Function:
        if function.name != "prune_backups":
            return function
        return replace(function, variables={**function.variables, **settings})

    # What drills call depends on the slots of instances, which one day does not show.
    functions = [changed(function) for function in template.functions if function.name != "drill_backups"]
    return replace(template, functions=tuple(functions))


class Day:
    """A day of the template's timers on a local cloud, whose clock is moved."""

    def __init__(self, cloud: LocalCloud, template: Template) -> None:
        self.clock = CloudClock(cloud)
        self.ids = cloud.connection()["instance_ids"]
        self.contexts = {function.name: self._context(cloud, function) for function in template.functions}
        self.handlers: dict[str, Any] = {
            name: getattr(bootstrap, name)(clock=self.clock, rng=Steady(), environment={}) for name in self.contexts
        }

    def _context(self, cloud: LocalCloud, function: Function) -> FakeContext:
        there = cloud.connection()
        places = {"DDS_ENDPOINT": there["endpoint"], "SMN_ENDPOINT": there["endpoint"]}
        return FakeContext(
            {**function.variables, **places, "NOTIFY_TOPIC_URN": there["topic_urn"]},
            access_key=there["access_key"],
            secret_key=there["secret_key"],
            security_token=there["security_token"],
            project_id=there["project_id"],
        )

    def fire(self, name: str, request: object = None) -> None:
        """Deliver one timer event, which must succeed."""
        event = doc.timer(json.dumps(request) if request else "", time=self.clock.now().isoformat(timespec="seconds"))
        self.handlers[name].handle(event, self.contexts[name])

    def run(self) -> None:
        """Back up, then track every five minutes, audit after four hours and prune after six."""
        policy = {"name": "nightly", "instance_ids": self.ids, "expected_interval": "1d", "grace": "2h"}
        self.fire("create_backup", {"instance_ids": self.ids})
        for number in range(1, 24 * 12 + 1):
            self.clock.sleep(300)
            self.fire("track_backups")
            if number == 4 * 12:
                self.fire("audit_backups", {"policies": [policy]})
            if number == 6 * 12:
                self.fire("prune_backups")


def counted(cloud: LocalCloud) -> Counter[str]:
    """The calls that the cloud has received, by operation."""
    seen: Counter[str] = Counter()
    for request in cloud.requests():
        (operation,) = (
            name
            for (method, path), name in OPERATIONS.items()
            if request["method"] == method and re.search(path, request["path"])
        )
        seen[operation] += 1
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("instances", [1, 3])
def test_a_day_of_the_application(local_cloud_factory: Callable[..., LocalCloud], instances: int) -> None:
    """Each operation is called as often as predicted, if as many backups are deleted as created."""
    cloud = local_cloud_factory(seed=fleet(instances))
    template = template_of({"RETENTION": f"daily={KEPT}", "DRY_RUN": "false"})
    day = Day(cloud, template)

    day.run()

    month = plan_month(template, Assumptions(day.clock.now(), instances=instances))
    assert counted(cloud) == {name: pytest.approx(count * (DAY / MONTH)) for name, count in month.calls.items()}
    assert month.fleet.kept == KEPT


def test_a_page_is_what_the_application_asks_for() -> None:
    """The prediction and the code use the same page size."""
    assert calls.PAGE == dds.PAGE
