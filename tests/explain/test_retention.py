"""`ddsbackup explain retention`: the code of prune_backups decides, and the calendar shows what it decides."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.dds import Dds
from cli.explain.retention import MAX_BACKUPS, Existing, Rules, foresee, scheduled_backups, simulate
from cli.explain.retention_view import letters_of, totals
from cli.explain.timers import read_timer
from localcloud import LocalCloud
from shared.model import Backup
from shared.prune.plan import Fate, make_plan
from shared.prune.retention import Retention, read_retention
from tests.explain.conftest import AT, NOW, Explain
from tests.fakes import START, A, FakeDds
from tests.prune.backups import make_backup, retentions, zones


DAY = timedelta(days=1)
NIGHTLY, MORNING = read_timer("0 0 2 * * ?", NOW), read_timer("0 0 8 * * ?", NOW)


def rules(text: str) -> Rules:
    return Rules(read_retention(text), timezone.utc)


# The cases that Proxmox publishes (proxmox-backup, tests/prune.rs), as facts: when the backups were made, what is kept
# by its rules, and what by ours. Each of its rules counts only periods that no earlier rule covers; each of ours counts
# all periods.

HOURS = ["11-15T09:39", "11-15T10:49", "11-15T10:59", "11-15T11:39", "11-15T11:49", "11-15T11:59"]
YEARS = ["11-15", "11-21", "11-22", "11-29", "12-01", "12-02", "12-03", "12-04"]
DAYS = ["12-02T11:59", "12-03T11:59", "12-04T11:59", "12-04T12:59"]
LATEST = DAYS[3:]

SAME: list[tuple[list[str], str, list[str]]] = [
    (HOURS, "hourly=3", ["11-15T09:39", "11-15T10:59", "11-15T11:59"]),
    (HOURS, "hourly=2", ["11-15T10:59", "11-15T11:59"]),
    (YEARS, "daily=1", ["12-04"]),
    (DAYS, "last=4", DAYS),
    (DAYS, "last=3", DAYS[1:]),
    (DAYS, "last=2", DAYS[2:]),
    (DAYS, "last=1", LATEST),
    (DAYS, "daily=3", [DAYS[0], DAYS[1], DAYS[3]]),
    (DAYS, "daily=2", [DAYS[1], DAYS[3]]),
    (DAYS, "weekly=5", LATEST),
    (DAYS, "daily=1 weekly=5", LATEST),
    (DAYS, "monthly=6", LATEST),
    (DAYS, "yearly=7", LATEST),
    (DAYS, "weekly=5 monthly=6 yearly=7", LATEST),
]
DIFFERENT: list[tuple[list[str], str, list[str], list[str]]] = [
    (YEARS, "last=1 daily=1", ["12-03", "12-04"], ["12-04"]),
    (YEARS, "daily=1 weekly=1", ["12-01", "12-04"], ["12-04"]),
    (YEARS, "daily=1 weekly=1 monthly=1", ["11-22", "12-01", "12-04"], ["12-04"]),
    (YEARS, "monthly=1 yearly=1", ["2018-11-15", "12-04"], ["12-04"]),
    (DAYS, "last=2 daily=2", DAYS, DAYS[1:]),
]


def moment(text: str) -> datetime:
    date, _, time = text.partition("T")
    date = date if len(date) > 5 else f"2019-{date}"
    return datetime.fromisoformat(f"{date}T{time or '11:59'}:15").replace(tzinfo=timezone.utc)


def kept(made: Sequence[str], text: str) -> set[datetime | None]:
    """When those backups began that the rules keep a week later, when no backup is protected for its youth."""
    moments = [moment(one) for one in (["2018-11-15", *made] if made is YEARS else made)]
    listed, now = [make_backup(one) for one in moments], max(moments) + 7 * DAY
    (found,) = foresee(Existing(tuple(listed)), NIGHTLY, MORNING, [rules(text)], now, DAY)
    return {life.backup.begin_time for life in found.kept}


@pytest.mark.parametrize(("made", "text", "stay"), SAME)
def test_a_published_case_of_proxmox(made: list[str], text: str, stay: list[str]) -> None:
    """A single rule, and rules of which none covers what another one keeps, mean the same."""
    assert kept(made, text) == {moment(one) for one in stay}


@pytest.mark.parametrize(("made", "text", "theirs", "ours"), DIFFERENT)
def test_a_published_case_of_proxmox_that_differs(
    made: list[str], text: str, theirs: list[str], ours: list[str]
) -> None:
    """Where rules overlap, ours keep fewer backups: docs/explain.md says so."""
    assert kept(made, text) == {moment(one) for one in ours} < {moment(one) for one in theirs}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    retention=retentions,
    zone=zones,
    schedule=st.sampled_from(
        ["0 0 2 * * ?", "0 30 1 ? * MON,WED,THU", "8h", "5d", "CRON_TZ=Europe/Berlin 0 30 2 * * ?"]
    ),
    weeks=st.integers(1, 5),
    days=st.integers(0, 400),
)
def test_what_goes_on_a_day_is_what_prune_plans_on_that_day(
    retention: Retention, zone: timezone, schedule: str, weeks: int, days: int
) -> None:
    """With all backups ever made, the run deletes it and the run before did not."""
    now, since = NOW - days * DAY, NOW - days * DAY - timedelta(weeks=weeks)
    made = read_timer(schedule, since)
    ahead = timedelta(days=30)
    (told,) = simulate(made, MORNING, [Rules(retention, zone)], now, weeks, ahead)
    history = list(scheduled_backups(made, since, now + ahead))
    runs = list(MORNING.runs(since, told.ends))
    deleted = []
    for run in runs:
        plan = make_plan([one for one in history if one.begin_time and one.begin_time <= run], retention, run, zone)
        deleted.append({verdict.backup.id: verdict.reasons for verdict in plan.of(Fate.DELETE)})

    for life in told.lives:
        for run, ids in zip(runs, deleted, strict=True):
            if life.backup.begin_time and run >= life.backup.begin_time:
                assert (life.backup.id in ids) == bool(life.goes and run >= life.goes)
                if run == life.goes:
                    assert ids[life.backup.id] == (life.reason,)


@given(retention=retentions, zone=zones)
@settings(max_examples=10, deadline=None)
def test_the_marks_are_the_verdicts_of_a_run_now(retention: Retention, zone: timezone) -> None:
    """Of what is still there, and of nothing else."""
    (told,) = simulate(NIGHTLY, MORNING, [Rules(retention, zone)], NOW, 6, DAY)
    there = [life for life in told.lives if life.fate]
    plan = make_plan([life.backup for life in there], retention, NOW, zone)

    assert {verdict.backup.id: (verdict.fate, verdict.reasons) for verdict in plan.instances[0].verdicts} == {
        life.backup.id: (life.fate, life.marks) for life in there
    }


@given(retention=retentions, zone=zones)
@settings(max_examples=10, deadline=None)
def test_backups_that_exist_go_when_simulated_ones_do(retention: Retention, zone: timezone) -> None:
    """What a simulation has left, told as the backups of an instance, goes on the same days for the same reasons."""
    same, ahead = [Rules(retention, zone)], timedelta(days=60)
    (simulated,) = simulate(NIGHTLY, MORNING, same, NOW, 5, ahead)
    left = [life for life in simulated.lives if life.fate]
    existing = Existing(tuple(replace(life.backup, instance_id="another") for life in left))

    (foreseen,) = foresee(existing, NIGHTLY, MORNING, same, NOW, ahead)

    told = [(life.backup.id, life.fate, life.marks, life.goes, life.reason) for life in foreseen.lives]
    assert told == [(life.backup.id, life.fate, life.marks, life.goes, life.reason) for life in left]


def test_the_shipped_rules_as_a_calendar(explain: Explain) -> None:
    """The marks are letters, the list has the day and the reason for each, and no line is longer than 80 columns."""
    ran = explain("retention", *AT)

    assert (ran.status, ran.err) == (0, "")
    assert "Nov 16  16 -      17 -      18 D      19 D      20 D      21 D      22 LDW" in ran.lines
    assert "Nov 23  23 LD     24 LDWMY" in ran.lines
    assert "L last, D daily, W weekly, M monthly, Y yearly, - gone" in ran.lines
    assert "2026-11-22 02:00  last daily weekly                 2026-12-14  out of weekly" in ran.lines
    assert ran.lines[-3:] == [
        "12 backups kept of 105: last 3, daily 7, weekly 4, monthly 4, yearly 1",
        "The oldest began 85 d 18 h ago",
        "93 gone: no rule keeps it (93)",
    ]
    assert max(map(len, ran.lines)) <= 80
    assert "\x1b" not in ran.out


def test_the_backups_that_have_gone_are_listed_on_demand(explain: Explain) -> None:
    """With the day and the reason."""
    ran = explain("retention", "daily=3", "--weeks", "2", "--all", *AT)

    assert "2026-11-15 02:00  gone     2026-11-18  out of daily" in ran.lines
    assert len([line for line in ran.lines if line.startswith("2026-")]) == 14


def test_several_backups_a_day(explain: Explain) -> None:
    """The cell has the marks of all, and how many are kept."""
    lines = explain("retention", "hourly=8 daily=3", "--schedule", "6h", "--weeks", "1", *AT).lines

    assert lines[7:9] == [
        "Nov 23  23 HD     24 HD",
        "        4 of 4    4 of 4",
    ]


def test_two_retentions_side_by_side(explain: Explain) -> None:
    """A star marks what one of the two keeps, and a list says what becomes of it in both."""
    ran = explain("retention", "daily=7 weekly=4", "--against", "daily=14", *AT)

    assert "Nov 09  -   -   -*  -*  -*  -*  W       -   -   D*  D*  D*  D*  D" in ran.lines
    assert "2026-11-11 02:00  gone 2026-11-18, out of daily  kept: daily" in ran.lines
    assert "Left: 9 backups kept of 105: daily 7, weekly 4" in ran.lines
    assert "Right: 14 backups kept of 105: daily 14" in ran.lines
    assert max(map(len, ran.lines)) <= 80


def test_json_has_every_backup_of_both(explain: Explain) -> None:
    """And what differs."""
    document = explain("retention", "daily=7 weekly=4", "--against", "daily=14", "--json", *AT).json

    assert (document["version"], document["explains"], document["instance_id"]) == (1, "retention", None)
    first, second = document["retentions"]
    assert (first["totals"]["kept"], second["totals"]["kept"], first["totals"]["backups"]) == (9, 14, 105)
    assert first["totals"]["kept_by"] == {"daily": 7, "weekly": 4}
    assert first["backups"][-1]["state"] == "gone"
    assert first["backups"][-1]["goes"] < "2026-09-01"
    assert len(document["differences"]) == 7
    assert document["differences"][0]["kept"] == [False, True]


def test_a_backup_that_outlives_the_simulation_says_so(explain: Explain) -> None:
    """Runs are played for three years."""
    yearly = ("--schedule", "0 0 2 1 1 ?", "--weeks", "60")

    assert "2026-01-01 02:00  last     after 2029-11" in explain("retention", "last=9", *yearly, *AT).lines
    assert explain("retention", "last=9", *yearly, "--json", *AT).json["retentions"][0]["backups"][0]["goes"] is None


def test_protections_have_a_mark_of_their_own() -> None:
    """The newest backup from before a burst of backups is kept, though no rule keeps it."""
    made = [make_backup(NOW - timedelta(hours=hours)) for hours in (1, 2, 3, 30)]
    (burst,) = foresee(Existing(tuple(made)), NIGHTLY, MORNING, [rules("last=1")], NOW)

    assert [letters_of([life]) for life in burst.lives] == ["L", "P", "P", "P"]
    assert next(totals(burst)) == (
        "4 backups kept of 4: last 1, the newest completed one that is older than a day 1, begun less than a day ago 2"
    )


def test_a_backup_that_no_rule_keeps_goes_with_the_next_run() -> None:
    """The mark is x."""
    made = tuple(make_backup(NOW - n * DAY) for n in (1, 2, 3))
    (told,) = foresee(Existing(made), NIGHTLY, MORNING, [rules("last=1")], NOW)

    assert [letters_of([life]) for life in told.lives] == ["L", "x", "x"]
    assert {life.goes for life in told.of(Fate.DELETE)} == {NOW + timedelta(hours=12)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dayly=3"], "did you mean daily"),
        (["daily=3", "--against", "nothing"], "must be RULE=VALUE"),
        (["daily=3", "--time-zone", "Europe/Berln"], "did you mean Europe/Berlin"),
        (["daily=3", "--schedule", "1m"], f"makes more than {MAX_BACKUPS:,} backups in 15 weeks: give fewer --weeks"),
        (["daily=3", "--schedule", "0 0 2 1 1 ?", "--weeks", "1"], "give more --weeks"),
        (["daily=3", "--instance", "x"], "give --instance together with --cloud or --region"),
    ],
)
def test_a_wrong_call_is_explained(explain: Explain, arguments: list[str], message: str) -> None:
    """The exit status is 2."""
    ran = explain("retention", *arguments, *AT)

    assert ran.status == 2
    assert message in ran.err


def test_the_backups_that_an_instance_has(explain: Explain, dds: Dds, backups: FakeDds) -> None:
    """Those of this deployment are judged, those of others are counted, and DRY_RUN and the guard are named."""
    for night in range(10):
        make_listed(backups, night, f"stack:dds-backup;key:{'0' * 32}")
    make_listed(backups, 1, f"stack:other;key:{'0' * 32}")
    now = dds.clock.now().isoformat()

    ran = explain("retention", "daily=2", "--cloud", "local", "--instance", A, "--json", "--at", now)

    states = [backup["state"] for backup in ran.json["retentions"][0]["backups"]]
    assert states == ["kept"] * 2 + ["goes_next"] * 8
    assert ran.json["remarks"] == [
        "1 manual backup of this instance that others made: prune_backups leaves them alone",
        "DRY_RUN is on in the template: prune_backups deletes nothing",
        "8 of them are more than half: the mass-deletion guard holds the next run back",
    ]
    assert set(backups.calls) == {"list", "jobs"}


def test_a_backup_that_a_drill_has_verified_is_protected() -> None:
    """It stays verified: the next one is not foreseen."""
    made = tuple(make_backup(NOW - n * DAY, f"{n:032x}br02") for n in (1, 2, 3))
    (told,) = foresee(Existing(made, frozenset({f"{3:032x}"})), NIGHTLY, MORNING, [rules("last=1")], NOW)

    assert [life.marks for life in told.lives] == [("last",), ("no_rule",), ("newest_verified",)]
    assert [bool(life.goes) for life in told.lives] == [True, True, False]


def make_listed(backups: FakeDds, night: int, description: str) -> None:
    """A completed backup of so many nights ago."""
    began = START - night * DAY
    backups.backups.append(
        Backup(f"{len(backups.backups):032x}br02", "nightly", A, "COMPLETED", began, description, end_time=began)
    )


@pytest.mark.usefixtures("dds")
def test_an_instance_without_backups_of_this_application(explain: Explain, backups: FakeDds) -> None:
    """The message says how many there are, and what to check."""
    make_listed(backups, 1, "by hand")

    ran = explain("retention", "--cloud", "local", "--instance", A)

    assert ran.status == 2
    assert "found 1 manual backup of" in ran.err
    assert "none of this application (STACK dds-backup)" in ran.err


@pytest.mark.slow
def test_an_instance_of_a_cloud(explain: Explain, cloud: LocalCloud) -> None:
    """Only lists are read."""
    ran = explain("retention", "--cloud", cloud.url, "--instance", "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02")

    calls = {(request["method"], request["path"].rpartition("/")[2]) for request in cloud.requests()}
    assert calls == {("GET", "backups"), ("POST", "securitytokens")}
    assert "found 2 manual backups of" in ran.err
