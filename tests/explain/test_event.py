"""`ddsbackup explain event`: what the functions would do, by their own code, without a call that changes anything."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from cli.dds import Dds
from cli.errors import WrongCall
from cli.event.samples import CARRIERS, sample_event
from cli.explain.event import RUNS, explain_event
from cli.explain.inputs import Application
from cli.json_value import JsonObject
from cli.paths import CHECKOUT
from localcloud import LocalCloud
from shared.bootstrap import create_backup
from shared.drill.schedule import Slot
from shared.drill.starting import Placement
from shared.drills import DrillName
from shared.model import Instance
from shared.prune.plan import Fate, make_plan
from shared.prune.retention import read_retention
from tests.drill.world import World
from tests.explain.conftest import Explain
from tests.fakes import (
    INSTANCES,
    START,
    A,
    FakeCloud,
    FakeContext,
    FakeDds,
    FakeInstances,
    FakeTopic,
    fake_connect,
    make_retrying,
)


B, C = INSTANCES[1:3]
TOPIC = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:backups"
STACK = "dds-backup"


def smn(*messages: object, topic: str = TOPIC) -> str:
    """An event of SMN with these messages, each with an id of its own."""
    records = [
        {
            "event_source": "smn",
            "smn": {
                "topic_urn": topic,
                "message_id": f"m-{number}",
                "timestamp": "2026-11-24T02:00:00Z",
                "message": message if isinstance(message, str) else json.dumps(message),
            },
        }
        for number, message in enumerate(messages)
    ]
    return json.dumps({"record": records})


def create_for_real(event: str, cloud: FakeCloud) -> list[dict[str, Any]]:
    """The results of create_backup with the settings of the template."""
    settings = {"NOTIFY_TOPIC_URN": TOPIC, "STACK": STACK}
    function = create_backup(connect=fake_connect(cloud), clock=cloud.backups.clock, environment=settings)
    results: list[dict[str, Any]] = function.handle(json.loads(event), FakeContext())["results"]
    return results


@pytest.mark.usefixtures("dds")
def test_the_names_are_those_that_create_backup_makes(
    explain: Explain, backups: FakeDds, instances: FakeInstances
) -> None:
    """And the keys, for each message of an event."""
    event = smn({"instance_ids": [A, B]}, {"instance_id": C, "name": "before-release"})

    told = explain("event", event, "--cloud", "local", "--json").json

    assert set(backups.calls) == {"list"}
    made = create_for_real(event, FakeCloud(backups, FakeTopic(), instances))
    names = [(one["instance_id"], one["name"], two["key"]) for two in told["messages"] for one in two["instances"]]
    assert names == [(one["instance_id"], one["name"], one["event_key"]) for one in made]
    assert [one["outcome"] for one in made] == ["CREATED"] * 3


@pytest.mark.usefixtures("dds")
def test_after_the_event_all_of_it_exists_already(explain: Explain, backups: FakeDds, instances: FakeInstances) -> None:
    """A redelivery makes nothing."""
    event = smn({"instance_ids": [A]})
    (made,) = create_for_real(event, FakeCloud(backups, FakeTopic(), instances))

    told = explain("event", event, "--cloud", "local").lines

    assert f"  = db-0  {A}" in told
    assert f"      exists already as {made['name']}" in told
    assert f"      {made['backup_id']}, BUILDING" in told
    assert not [line for line in told if line.startswith("Would create")]


def outcomes(ran: Any) -> list[tuple[str, str | None]]:
    """Outcome and code of each instance."""
    return [(one["outcome"], one["code"]) for message in ran.json["messages"] for one in message["instances"]]


@pytest.mark.usefixtures("dds")
def test_what_would_not_be_created(explain: Explain, instances: FakeInstances) -> None:
    """An instance that is not there, one that is not normal, and one that is busy."""
    instances.known = [
        Instance(A, "db-0", status="frozen"),
        Instance(B, "db-1", actions=("BACKUP",)),
    ]

    ran = explain("event", smn({"instance_ids": [A, B, C]}), "--cloud", "local", "--json")

    assert outcomes(ran) == [("CREATED", None), ("CREATED", None), ("FAILED", "not_found")]
    says = [one["says"] for one in ran.json["messages"][0]["instances"]]
    assert says[0][1:] == ["its status is frozen: DDS may refuse"]
    assert says[1][1:] == ["now busy with BACKUP: waits for its end, within the time of the invocation"]
    selected = explain("event", smn({"select": {"name": "db-0"}}), "--cloud", "local", "--json")
    assert outcomes(selected) == [("SKIPPED", "instance_status")]


@pytest.mark.usefixtures("dds")
def test_the_settings_of_the_template_count(explain: Explain, instances: FakeInstances, tmp_path: Path) -> None:
    """ALLOWED_INSTANCES refuses, ON_BUSY skips."""
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    settings = f"STACK: ${{Prefix}}\n        ON_BUSY: skip\n        ALLOWED_INSTANCES: {A},{B}"
    (tmp_path / "template.yaml").write_text(text.replace("STACK: ${Prefix}", settings, 1), encoding="utf-8")
    instances.known = [Instance(A, "db-0"), Instance(B, "db-1", actions=("BACKUP",)), Instance(C, "db-2")]

    ran = explain(
        "event", smn({"instance_ids": [A, B, C]}), "--cloud", "local", "--json", template=tmp_path / "template.yaml"
    )

    assert outcomes(ran) == [("CREATED", None), ("SKIPPED", "busy"), ("FAILED", "not_allowed")]


@pytest.mark.usefixtures("dds")
def test_a_name_that_another_backup_has_is_a_conflict(explain: Explain, backups: FakeDds) -> None:
    """An exact name, whose backup somebody else made."""
    backups.add(B, "mybackup1", "by hand", "COMPLETED")

    ran = explain("event", smn({"instance_id": A, "name": "mybackup1"}), "--cloud", "local", "--json")

    assert outcomes(ran) == [("FAILED", "name_conflict")]


@pytest.mark.usefixtures("dds")
def test_a_younger_backup_is_enough(explain: Explain, backups: FakeDds) -> None:
    """With min_interval."""
    backups.add(A, "nightly", f"stack:{STACK};key:{'0' * 32}", "COMPLETED")
    backups.clock.seconds += 3600

    ran = explain("event", smn({"instance_id": A, "min_interval": "12h"}), "--cloud", "local", "--json")

    assert outcomes(ran) == [("SKIPPED", "min_interval")]


@pytest.mark.usefixtures("dds")
def test_an_invalid_message_does_not_hide_the_others(explain: Explain) -> None:
    """It is shown with all its faults."""
    ran = explain("event", smn({"instance_ids": [A]}, {"instance_id": "", "nmae": "x"}, "no JSON"), "--cloud", "local")

    assert f"  + db-0  {A}" in ran.lines
    assert "record.1.smn.message" in ran.lines
    assert "  ! rejected: instance_id: must not be empty" in ran.lines
    assert any(line.startswith("  ! rejected: nmae: unknown field (did you mean name?)") for line in ran.lines)
    assert any("not JSON" in line for line in ran.lines)
    assert ran.lines[-1] == "Nothing was changed."
    assert max(map(len, ran.lines)) <= 80


@pytest.mark.usefixtures("dds")
def test_our_own_notification_is_ignored(explain: Explain) -> None:
    """From a topic that is wired in a circle."""
    ours = {"specversion": "1.0", "type": "dds.backup.started", "id": "1", "source": "x"}

    document = explain("event", smn(ours, {"instance_id": A}), "--cloud", "local", "--json").json

    assert (document["ignored"], len(document["messages"])) == (1, 1)


def test_without_a_cloud_nothing_is_known(explain: Explain) -> None:
    """The names are, but not what exists, nor what a selector selects."""
    ran = explain("event", smn({"instance_id": A}, {"select": {"name": "*"}}))

    assert ran.status == 0
    assert "would be created as dds-backup-20261124T020000Z-" in ran.out
    assert "unless it exists already" in " ".join(ran.out.split())
    assert "  ? give --cloud or --region to see which instances it selects" in ran.lines
    assert "Would publish 1 notification:" in ran.lines
    prune = explain("event", "{}", "--function", "prune_backups").lines
    assert prune[-1] == "Give --cloud or --region to see what prune_backups would do."


@pytest.mark.usefixtures("dds")
def test_a_request_id_is_not_known_before(explain: Explain) -> None:
    """A direct call without a key is identified by it: the digits that depend on it are question marks."""
    ran = explain("event", json.dumps({"instance_id": A}), "--cloud", "local")
    keyed = explain("event", json.dumps({"instance_id": A, "idempotency_key": "k"}), "--cloud", "local", "--json")

    assert "  Key      not known before the invocation" in ran.lines
    assert any("would be created as dds-backup-????????????-" in line for line in ran.lines)
    assert "?" not in keyed.json["messages"][0]["instances"][0]["name"]


@pytest.mark.usefixtures("dds")
def test_prune_notes_what_it_would_delete(explain: Explain, backups: FakeDds, tmp_path: Path) -> None:
    """Without the dry run of the template."""
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8").replace('DRY_RUN: "true"', 'DRY_RUN: "false"', 1)
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
    for night in range(14):
        backups.clock.seconds = night * 86_400.0
        backups.add(A, f"nightly-{night}", f"stack:{STACK};key:{'0' * 32}", "COMPLETED")
    template = {"template": tmp_path / "template.yaml"}
    event = sample_event("timer", function="prune_backups", moment=START + timedelta(days=40))
    backups.clock.seconds = 40 * 86_400.0

    shipped = explain("event", json.dumps(event), "--cloud", "local", "--json").json
    real = explain("event", json.dumps(event), "--cloud", "local", "--json", **template).json

    assert (shipped["function"], shipped["would"]["delete"]) == ("prune_backups", [])
    rules = read_retention("last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=800d")
    doomed = make_plan(backups.backups, rules, START + timedelta(days=40)).of(Fate.DELETE)
    assert real["would"]["delete"] == sorted(verdict.backup.id for verdict in doomed)
    assert 3 < len(doomed) <= 7
    assert set(backups.calls) <= {"list", "jobs"}
    assert len(backups.backups) == 14


def test_a_drill_is_noted_and_not_begun(
    explain: Explain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backups: FakeDds
) -> None:
    """The shipped template's dry run says what would be restored; without it, the restore is noted."""
    world = World(backups.clock)
    world.add_source(A)
    backup = world.add_backup(A, timedelta(hours=8), description=f"stack:{STACK};key:{'0' * 32}")
    clock = world.clock
    dds = Dds(world.instances, cast("Any", world.backups), world.jobs, world, clock, make_retrying(clock))
    monkeypatch.setattr("cli.dds.open_dds", lambda *_: dds)
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8").replace('DRY_RUN: "true"', 'DRY_RUN: "false"')
    text = text.replace("${DrillEnterpriseProjectId}", "drills")
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")
    at = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    given = ("event", json.dumps({"instance_ids": [A], "at": at}), "--function", "drill_backups", "--cloud", "local")

    shipped = explain(*given)
    real = explain(*given, "--json", template=tmp_path / "template.yaml").json
    lines = explain(*given, template=tmp_path / "template.yaml").lines

    name = str(DrillName.of(clock.now(), backup.id))
    assert f"= shop  {A}" in shipped.lines
    assert "    would be restored if it were no dry run, to an instance with 20 GB:" in shipped.lines
    assert f"    {name}" in shipped.lines
    assert real["would"]["instances"] == [{"operation": "restore", "instance": name}]
    assert [slot["state"] for slot in real["drill"]["slots"]] == ["BEGUN"]
    assert f"Would restore to {name}." in lines
    assert not {"restore", "tag", "reset_password", "restart", "delete", "publish"} & set(world.calls)


def test_the_steps_of_a_drill_that_runs_are_noted(
    explain: Explain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backups: FakeDds
) -> None:
    """An instance that is too old would be tagged and deleted, and neither happens."""
    world, clock = World(backups.clock), backups.clock
    source = world.add_source(A)
    backup = world.add_backup(A)
    settings = Placement("drills").plan(source, backup, Slot(clock.now(), clock.now() + timedelta(hours=2)))
    copy = world.restore(settings).instance_id
    clock.seconds += 7 * 3600.0
    world.settle()
    world.calls.clear()
    dds = Dds(world.instances, cast("Any", world.backups), world.jobs, world, clock, make_retrying(clock))
    monkeypatch.setattr("cli.dds.open_dds", lambda *_: dds)
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8").replace('DRY_RUN: "true"', 'DRY_RUN: "false"')
    text = text.replace("${DrillEnterpriseProjectId}", "drills")
    (tmp_path / "template.yaml").write_text(text, encoding="utf-8")

    given = json.dumps({"instance_ids": [A]})
    told = explain(
        "event", given, "--function", "drill_backups", "--cloud", "local", template=tmp_path / "template.yaml"
    ).lines

    assert f"* {settings.name}" in told
    assert [line for line in told if line.startswith("Would ") and "publish" not in line] == [
        f"Would tag {copy}.",
        f"Would delete {copy}.",
    ]
    assert world.known[copy].tags == {}
    assert not {"tag", "delete", "publish"} & set(world.calls)


@pytest.fixture(scope="module")
def application() -> Application:
    """The template of the application."""
    return Application.read(CHECKOUT / "template.yaml", START)


@pytest.mark.parametrize("function", RUNS)
@pytest.mark.parametrize("trigger", [name for name in CARRIERS if name != "api-page"])
def test_every_sample_goes_to_its_function_and_only_lists_are_read(
    application: Application, dds: Dds, backups: FakeDds, trigger: str, function: str
) -> None:
    """Of every trigger and for every function, which is found by the request or by the name of the timer."""
    event = sample_event(trigger, function=function, moment=START)

    given = explain_event(event, application, dds, function)
    found = explain_event(event, application, dds, None)

    assert given.received.trigger == {"opensource-kafka": "kafka"}.get(trigger, trigger)
    assert given.report
    assert given.report.rejected == []
    assert found.function == function or function in found.why
    assert set(backups.calls) <= {"list", "jobs", "job"}
    assert backups.backups == []


@pytest.mark.slow
@pytest.mark.parametrize("function", RUNS)
def test_a_cloud_gets_only_calls_that_read(explain: Explain, cloud: LocalCloud, function: str) -> None:
    """Over HTTP, the only POST is for keys."""
    before = cloud.state()
    event = sample_event("timer", function=function, moment=START)

    ran = explain("event", "-", "--cloud", cloud.url, "--json", stdin=json.dumps(event))

    assert ran.status == 0
    changing = {(one["method"], one["path"].rpartition("/")[2]) for one in cloud.requests() if one["method"] != "GET"}
    assert changing == {("POST", "securitytokens")}
    assert cloud.state()["backups"] == before["backups"]
    assert cloud.messages() == []


def test_the_timer_of_an_event_tells_its_function(explain: Explain, tmp_path: Path) -> None:
    """If two functions have a timer of the name, the request decides."""
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    renamed = text.replace("      Nightly:", "      EveryFiveMinutes:", 1)
    (tmp_path / "template.yaml").write_text(renamed, encoding="utf-8")
    event = {"trigger_type": "TIMER", "trigger_name": "EveryFiveMinutes", "time": "2026-06-01T02:00:00Z"}

    found = {}
    for request in ("", json.dumps({"instance_id": A})):
        given = json.dumps({**event, "user_event": request})
        document = explain("event", given, "--json", template=tmp_path / "template.yaml").json
        found[document["function"]] = document["why"]

    why = "the template has its timer EveryFiveMinutes"
    assert found == {
        "track_backups": f"{why}. drill_backups would take it, too: choose with --function",
        "create_backup": why,
    }


def test_the_timer_of_another_function_cannot_be_explained(application: Application) -> None:
    """Its name is in the message."""
    timer = replace(application.timers[0], kind="reports", name="Weekly")
    event: JsonObject = {
        "trigger_type": "TIMER",
        "trigger_name": "Weekly",
        "time": "2026-06-01T02:00:00Z",
        "user_event": "",
    }

    with pytest.raises(WrongCall, match="the events of reports cannot be explained"):
        explain_event(event, replace(application, timers=(timer,)), None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{}", "--function", "creat_backup"], "did you mean 'create_backup'"),
        (["nowhere.json"], "cannot read the event nowhere.json"),
    ],
)
def test_a_wrong_call_is_explained(explain: Explain, arguments: list[str], message: str) -> None:
    """The exit status is 2."""
    ran = explain("event", *arguments)

    assert (ran.status, message in ran.err) == (2, True)
