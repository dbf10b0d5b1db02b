"""A month of the application."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from cli.cost import calls
from cli.cost.display import remarks
from cli.cost.inputs import Assumptions
from cli.cost.month import FunctionMonth, Month, Prices, Storage, bill, kept_backups, plan_month
from cli.errors import WrongCall
from cli.paths import CHECKOUT
from cli.template.load import load_template
from cli.template.model import Event, Template
from shared.prune.retention import read_retention


NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
TEMPLATE = load_template(CHECKOUT / "template.yaml")
DAYS = 365 / 12
SELECT = '{"select": {"tags": {"backup": []}}}'


def template_with(name: str, **changes: Any) -> Template:
    """The application's template with one function changed. `variables` are added to its own."""
    added = changes.pop("variables", {})
    return replace(
        TEMPLATE,
        functions=tuple(
            replace(f, variables={**f.variables, **added}, **changes) if f.name == name else f
            for f in TEMPLATE.functions
        ),
    )


def month_of(template: Template = TEMPLATE, **assumptions: Any) -> Month:
    """The month under these assumptions."""
    return plan_month(template, Assumptions(NOW, **assumptions))


def function_of(month: Month, name: str) -> FunctionMonth:
    """One function of the month."""
    return next(function for function in month.functions if function.function.name == name)


def timer(user_event: str, schedule: str = "0 0 2 * * ?") -> tuple[Event, ...]:
    """A nightly timer with this request."""
    properties = {"schedule_type": "Cron", "schedule": schedule, "user_event": user_event}
    return (Event("Nightly", "TIMER", "ACTIVE", properties),)


@pytest.mark.parametrize("instances", [1, 50, 51, 120, 1000])
@pytest.mark.parametrize("above", [50, 7])
def test_the_calls_of_a_fan_out_add_up(instances: int, above: int) -> None:
    """The invocations of a fan-out make the calls of the formula for the whole event."""
    settings = {"REQUEST_TOPIC_URN": "${Requests}", "FAN_OUT_ABOVE": str(above)}
    template = template_with("create_backup", events=timer(SELECT), variables=settings)

    create = function_of(month_of(template, instances=instances), "create_backup")

    expected = calls.fleet_calls(instances, above)
    assert create.calls == {name: pytest.approx(count * DAYS) for name, count in expected.items() if count}
    assert create.invocations == pytest.approx((1 + len(calls.portions(instances, above))) * DAYS)


def test_min_interval_is_one_more_list() -> None:
    """A request with min_interval lists backups twice."""
    template = template_with("create_backup", events=timer('{"instance_ids": ["x"], "min_interval": "12h"}'))

    assert function_of(month_of(template), "create_backup").calls[calls.LIST_BACKUPS] == pytest.approx(2 * DAYS)


def test_gb_seconds_are_memory_multiplied_by_time() -> None:
    """A measured duration replaces the estimate."""
    month = month_of(duration={"create_backup": 8.0}, memory={"": 512, "create_backup": 1024})

    create, prune = function_of(month, "create_backup"), function_of(month, "prune_backups")
    assert create.gb_seconds == pytest.approx(8 * DAYS)
    assert prune.memory == 512
    assert prune.gb_seconds == pytest.approx(prune.seconds / 2)
    assert month.gb_seconds == pytest.approx(sum(function.gb_seconds for function in month.functions))


def test_the_estimate_adds_up_the_rounds_of_calls() -> None:
    """A cold start, a list, then creations and notifications, eight at a time."""
    month = month_of(instances=16, call_seconds=0.5, cold_start=2.0)

    assert function_of(month, "create_backup").seconds == pytest.approx((2 + 0.5 * (1 + 2 + 2)) * DAYS)


def test_the_rate_limit_of_dds_stretches_an_invocation_up_to_its_timeout() -> None:
    """119 creations and a list take two minutes at 60 calls a minute."""
    assert function_of(month_of(instances=119), "create_backup").seconds == pytest.approx((1 + 120) * DAYS)
    assert function_of(month_of(instances=1000), "create_backup").seconds == pytest.approx((1 + 300) * DAYS)


def test_events_of_other_triggers_are_given_by_the_user() -> None:
    """--events applies to enabled triggers other than timers."""
    queue, off = Event("Queue", "KAFKA", "ACTIVE", {}), Event("Off", "KAFKA", "DISABLED", {})
    template = template_with("create_backup", events=(*timer("{}"), queue, off))

    month = month_of(template, events=100)

    assert function_of(month, "create_backup").invocations == pytest.approx(100 + DAYS)
    assert month.fleet.made == pytest.approx(100 + DAYS)


def test_pruning_deletes_as_many_backups_as_are_created() -> None:
    """Nothing is deleted in a dry run, and at most MAX_DELETES in a day."""
    on = {"DRY_RUN": "false", "MAX_DELETES": "20"}

    assert calls.DELETE not in function_of(month_of(instances=10), "prune_backups").calls
    pruning = template_with("prune_backups", variables=on)
    assert month_of(pruning, instances=10).calls[calls.DELETE] == pytest.approx(10 * DAYS)
    assert month_of(pruning, instances=100).calls[calls.DELETE] == pytest.approx(20 * DAYS)


@pytest.mark.parametrize(
    ("schedule", "instances", "deleted"),
    [("0 0 8,20 * * ?", 1, 1), ("0 0 8,20 * * ?", 30, 20), ("0 0 8,20 * * ?", 50, 20), ("0 0 8 ? * Mon", 1, 1)],
)
def test_runs_share_the_deletions(schedule: str, instances: int, deleted: int) -> None:
    """The next run deletes what one leaves. Runs that are rarer than backups delete several of each instance."""
    template = template_with("prune_backups", variables={"DRY_RUN": "false"}, events=timer("", schedule))

    assert month_of(template, instances=instances).calls[calls.DELETE] == pytest.approx(deleted * DAYS)


@pytest.mark.parametrize(("instances", "lists"), [(49, 1), (50, 2), (100, 3)])
def test_track_backups_lists_the_backups_of_two_days(instances: int, lists: int) -> None:
    """A page has 100 backups."""
    month = month_of(instances=instances)

    assert function_of(month, "track_backups").calls[calls.LIST_BACKUPS] == pytest.approx(lists * DAYS * 288)


def test_without_events_there_is_no_peak() -> None:
    """If no backup is created, track_backups announces none."""
    idle = month_of(template_with("create_backup", events=()))

    assert function_of(idle, "track_backups").at_once == 1
    assert function_of(month_of(), "track_backups").at_once == 2


@pytest.mark.parametrize(
    ("retention", "every", "kept"),
    [
        ("last=3", timedelta(days=1), 3),
        ("daily=7", timedelta(days=1), 7),
        ("daily=7", timedelta(hours=1), 7),
        ("max_age=10d", timedelta(days=1), 11),
        ("last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=800d", timedelta(days=1), 7 + 2 + 11),
    ],
)
def test_what_retention_keeps_in_the_long_run(retention: str, every: timedelta, kept: int) -> None:
    """The last row keeps seven days, two more weeks and eleven more months. December also counts for a year."""
    assert kept_backups(read_retention(retention), every, NOW) == kept


def test_without_pruning_the_backups_of_a_month_are_kept() -> None:
    """Without events, no backup is kept."""
    pruneless = replace(TEMPLATE, functions=tuple(f for f in TEMPLATE.functions if f.name != "prune_backups"))

    assert month_of(pruneless).fleet.kept == 31
    assert any("No function in the template deletes" in r for r in remarks(month_of(pruneless), Assumptions(NOW)))
    assert month_of(template_with("create_backup", events=())).fleet.kept == 0


def test_the_bill_starts_beyond_the_free_allowance() -> None:
    """If the allowance is used up, everything is billed. Only items with a price are on the bill."""
    month = month_of(events=0)

    free = bill(month, Prices(million_requests=0.2, gb_second=0.1), None)
    used_up = bill(month, Prices(million_requests=0.2, gb_second=0.1, is_free_left=False), None)

    assert free == {"requests": 0.0, "gb_seconds": 0.0}
    assert used_up["requests"] == pytest.approx(month.invocations / 1e6 * 0.2)
    assert used_up["gb_seconds"] == pytest.approx(month.gb_seconds * 0.1)
    assert bill(month, Prices(), None) == {}


def test_backups_are_free_up_to_the_storage_of_their_instance() -> None:
    """Each GB beyond it is billed."""
    month = month_of(instances=3, kept=10)

    assert Storage(backup=10, instance=100).beyond_free(month) == 0
    assert Storage(backup=11, instance=100).beyond_free(month) == 30
    assert bill(month, Prices(backup_gb=0.5), Storage(11, 100)) == {"backup_storage": 15}


@pytest.mark.parametrize(
    ("template", "assumptions", "said"),
    [
        (TEMPLATE, {}, "prune_backups: DRY_RUN is on, so nothing is deleted: 30 more backups every month"),
        (
            template_with("prune_backups", variables={"DRY_RUN": "false"}),
            {"instances": 100},
            "prune_backups: MAX_DELETES=20 deletes at most 608 backups a month, but 3,042 are created: raise it.",
        ),
        (TEMPLATE, {"instances": 100}, "create_backup: at 60 DDS calls a minute, an event takes 1.7 minutes; the"),
        (
            TEMPLATE,
            {"instances": 400},
            "more than the timeout of 300 s: select the instances and set REQUEST_TOPIC_URN",
        ),
        (
            template_with("create_backup", events=timer(SELECT), variables={"REQUEST_TOPIC_URN": "${Requests}"}),
            {"instances": 400},
            "more than the timeout of 300 s: the rest is handed on",
        ),
        (
            TEMPLATE,
            {"instances": 1, "kept": 40_000},
            "audit_backups: at 60 DDS calls a minute, an event takes 6.7 minutes",
        ),
        (
            template_with(
                "create_backup",
                events=(Event("Queue", "KAFKA", "ACTIVE", {}), Event("Off", "KAFKA", "DISABLED", {})),
            ),
            {},
            "create_backup: the events of Queue are not counted; see --events.",
        ),
        (
            template_with("track_backups", code_uri=Path("elsewhere")),
            {},
            "track_backups is not one of this application's functions",
        ),
    ],
    ids=["dry run", "max deletes", "rate limit", "timeout", "handed on", "long lists", "events", "unknown"],
)
def test_remarks(template: Template, assumptions: dict[str, Any], said: str) -> None:
    """Each remark names the function and what to do."""
    given = Assumptions(NOW, **assumptions)

    assert [text for text in remarks(plan_month(template, given), given) if said in text]


def test_no_remarks() -> None:
    """There are no remarks if pruning keeps up and every event fits into a minute of the rate limit."""
    template = template_with("prune_backups", variables={"DRY_RUN": "false"})
    drills = {"DRY_RUN": "false", "DRILL_ENTERPRISE_PROJECT_ID": "drills"}
    template = replace(
        template,
        functions=tuple(
            replace(one, variables={**one.variables, **drills}) if one.name == "drill_backups" else one
            for one in template.functions
        ),
    )

    assert list(remarks(month_of(template), Assumptions(NOW))) == []


def test_drills_have_a_cap_by_the_week() -> None:
    """MAX_DRILLS_PER_WEEK counts more than DRILL_INTERVAL. A drill makes one instance and deletes it."""
    on = {"DRY_RUN": "false", "DRILL_ENTERPRISE_PROJECT_ID": "drills", "MAX_DRILLS_PER_WEEK": "2"}
    month = month_of(template_with("drill_backups", variables=on), instances=100)

    assert month.drills
    assert month.drills.number == pytest.approx(2 * DAYS / 7)
    assert month.calls["DDS.RestoreNewInstance"] == pytest.approx(month.drills.number)
    assert month.calls["DDS.DeleteInstance"] == pytest.approx(month.drills.number)


def test_dry_drills_make_nothing() -> None:
    """The drills are counted for the bill, and no call of them."""
    month = month_of(template_with("drill_backups", variables={}), instances=3)

    assert month.drills
    assert month.drills.is_dry
    assert "DDS.RestoreNewInstance" not in month.calls


def test_invalid_settings() -> None:
    """The error has the function's own message."""
    with pytest.raises(WrongCall, match=r"prune_backups: wrong settings .*: RETENTION: "):
        month_of(template_with("prune_backups", variables={"RETENTION": "daily"}))


def test_a_setting_with_a_reference_has_its_default() -> None:
    """The value of the parameter is known only at deployment."""
    template = template_with("prune_backups", variables={"MAX_DELETES": "${MaxDeletes}", "DRY_RUN": "false"})

    assert month_of(template, instances=100).calls[calls.DELETE] == pytest.approx(20 * DAYS)
