"""What ``ddsbackup doctor`` finds about restore drills."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cli.doctor.checks import Level, Stack
from cli.doctor.drills import drills
from cli.huaweicloud.access import Access
from cli.paths import CHECKOUT
from cli.template.load import load_template


PLACE = "8f1c2d3e-0000-4000-8000-000000000001"
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)


class Dds:
    """Answers the two calls that doctor makes besides the list of instances."""

    def __init__(self, recycled: int = 3, used: int = 1) -> None:
        self.answers: dict[str, Any] = {
            "list_recycle_instances": {"total_count": recycled, "instances": []},
            "show_quotas": {"quotas": {"resources": [{"mode": "ReplicaSet", "quota": 5, "used": used}]}},
        }

    def call(self, method: str, request: object, needs: str) -> Any:
        return self.answers[method]


def instance(name: str, place: str = PLACE, age: timedelta = timedelta(hours=1)) -> dict[str, Any]:
    """An instance as DDS lists it."""
    created = f"{NOW - age:%Y-%m-%dT%H:%M:%S}"
    return {"id": f"id-of-{name}", "name": name, "created": created, "enterprise_project_id": place}


def found(*instances: dict[str, Any], dds: Dds | None = None, **variables: str) -> list[tuple[Level, str]]:
    """The findings that are not ok, for the application's template with drills switched on."""
    on = {"DRY_RUN": "false", "DRILL_ENTERPRISE_PROJECT_ID": PLACE, **variables}
    template = load_template(CHECKOUT / "template.yaml")
    functions = tuple(
        replace(one, variables={**one.variables, **on}) if one.name == "drill_backups" else one
        for one in template.functions
    )
    access: Any = object.__new__(Access)
    access.__dict__["dds"] = dds or Dds()
    stack = Stack(access, replace(template, functions=functions), "dds-backup", {})
    stack.__dict__["instances"] = list(instances)
    return [(one.level, one.found) for one in drills(stack, NOW) if one.level is not Level.OK]


DRILL = "drill-20260601T110000Z-84b498458b0d4135a067e7f197492d69"


def test_nothing_is_wrong_while_a_drill_runs() -> None:
    """Its instance is young and alone, and production is elsewhere."""
    assert found(instance(DRILL), instance("orders", "0", timedelta(days=900))) == []


def test_dry_drills_are_not_checked() -> None:
    """No call is needed for what does nothing."""
    assert found(instance("orders"), dds=Dds(recycled=99), DRY_RUN="true") == []


@pytest.mark.parametrize(
    ("instances", "dds", "level", "said"),
    [
        ([instance(DRILL, age=timedelta(hours=7))], Dds(), Level.PROBLEM, "exists since 2026-06-01T05:00:00"),
        ([instance("orders")], Dds(), Level.PROBLEM, "has orders, which no drill has made"),
        ([], Dds(recycled=81), Level.WARNING, "81 instances: no drill begins"),
        ([], Dds(used=5), Level.WARNING, "all 5 are used"),
    ],
)
def test_each_fault_is_found(instances: list[dict[str, Any]], dds: Dds, level: Level, said: str) -> None:
    """An old copy, a foreign instance, a full bin and a used quota."""
    ((found_level, text),) = found(*instances, dds=dds)

    assert (found_level, said in text) == (level, True)
