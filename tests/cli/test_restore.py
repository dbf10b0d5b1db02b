"""``ddsbackup restore``: to a new instance, with everything that can go wrong on the way."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.restore import password
from cli.restore.display import Bar, checks, connection_string, said_of
from cli.restore.follow import Seen, State
from cli.restore.proposal import default_name, read_flavors
from cli.restore.selection import Point, Source
from localcloud import LocalCloud
from shared.errors import TransientError
from shared.model import Backup, Instance, NodeGroup
from tests.deliveries import CloudClock


Run = Callable[..., Any]
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
BACKUP = "43e4feaab48f41e89039fa163ebaa7e4br02"
SECRET = "Correct-Horse-9"
CREATE = {"method": "POST", "path": "/instances$"}


def error(status: int, code: str) -> dict[str, Any]:
    return {"answer": {"status": status, "body": {"error_code": code, "error_msg": "fault"}}}


@pytest.fixture(autouse=True)
def clock(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> CloudClock:
    """Sleeping advances the local cloud's clock instead. There is a password."""
    clock = CloudClock(cloud)
    monkeypatch.setattr("cli.dds._LocalClock", lambda _: clock)
    monkeypatch.setattr("cli.restore.follow.INTERVAL", 60.0)
    monkeypatch.setenv(password.VARIABLE, SECRET)
    return clock


@pytest.fixture
def restore(ddsbackup: Run, cloud: LocalCloud) -> Run:
    """Run the command on the local cloud, without questions."""
    return lambda *arguments, **more: ddsbackup("restore", "--cloud", cloud.url, "--yes", *arguments, **more)


def posts(cloud: LocalCloud) -> list[dict[str, Any]]:
    """The requests that would have made an instance."""
    return [dict(one) for one in cloud.requests() if one["method"] == "POST" and one["path"].endswith("/instances")]


def names(cloud: LocalCloud) -> list[str]:
    return [str(instance["name"]) for instance in cloud.state()["instances"]]


def test_a_backup_to_the_connection_string(restore: Run, cloud: LocalCloud) -> None:
    """The plan, the progress, and an address at the end. The password is nowhere, and the source is as it was."""
    before = next(one for one in cloud.state()["instances"] if one["id"] == CUSTOMERS)
    ran = restore("--instance", "customers", "--backup", "before-release-42", "--wait", "--price-hour", "0.35")

    assert ran.status == 0
    assert max(len(line) for line in ran.out.splitlines() if "mongodb://" not in line) <= 80
    assert "before-release-42 (43e4feaab48f41e89039fa163ebaa7e4br02)" in ran.out
    assert "0.35 an hour, 8.40 a day" in ran.out
    assert "is restored, after" in ran.out
    assert "mongodb://rwuser:<password>@" in ran.out
    assert "replicaSet=replica" in ran.out
    assert "creating" in ran.err
    assert "min left" in ran.err
    assert SECRET not in ran.out + ran.err
    assert next(one for one in cloud.state()["instances"] if one["id"] == CUSTOMERS) == before
    (post,) = posts(cloud)
    assert post["body"]["backup_strategy"]["keep_days"] == "0"


@pytest.mark.slow
def test_the_end_as_json(restore: Run) -> None:
    """Standard output is one document with the plan, the address and the checks."""
    ran = restore("--backup", BACKUP, "--wait", "--json")

    assert (ran.status, ran.json["state"]) == (0, "COMPLETED")
    assert ran.json["connection_string"].startswith("mongodb://rwuser:<password>@")
    assert 480 < ran.json["seconds"] < 800
    low, high = ran.json["plan"]["expected_seconds"]
    assert low <= ran.json["seconds"] <= high
    assert ran.json["plan"]["backup"]["name"] == "before-release-42"
    assert len(ran.json["checks"]) == 6


@pytest.mark.slow
def test_the_newest_completed_backup_is_the_default(restore: Run) -> None:
    """With --latest as without it."""
    for option in ([], ["--latest"]):
        ran = restore("--instance", CUSTOMERS, "--dry-run", "--json", *option)

        assert (ran.status, ran.json["state"]) == (0, "PLANNED")
        assert ran.json["plan"]["backup"]["backup_id"] == BACKUP
        assert ran.json["plan"]["new_instance"]["flavors"] == [
            {"type": "replica", "num": 1, "spec_code": "dds.mongodb.c6.large.2.repset", "size": 40}
        ]


def test_a_dry_run_makes_nothing(restore: Run, cloud: LocalCloud) -> None:
    """It shows the plan."""
    before = names(cloud)

    assert "Restore to a new instance" in restore("--instance", "customers", "--dry-run").out
    assert names(cloud) == before


@pytest.mark.slow
def test_started_and_followed_later(restore: Run, ddsbackup: Run, cloud: LocalCloud, clock: CloudClock) -> None:
    """Without --wait the command ends at once and says how to go on. A later command follows by name."""
    started = restore("--instance", "customers", "--backup", BACKUP, "--name", "copy", "--no-wait", "--json")
    assert (started.status, started.json["state"], started.json["instance_name"]) == (0, "STARTED", "copy")
    assert f"ddsbackup restore --cloud {cloud.url} --follow copy" in started.err

    followed = ddsbackup("restore", "--cloud", cloud.url, "--follow", "copy", "--json")
    assert (followed.status, followed.json["state"]) == (0, "COMPLETED")
    assert followed.json["job_id"] == started.json["job_id"]

    clock.sleep(86_400)
    again = ddsbackup("restore", "--cloud", cloud.url, "--follow", followed.json["instance_id"], "--json")
    assert again.json["seconds"] < 1000


@pytest.mark.slow
def test_a_second_run_starts_no_second_restore(restore: Run, cloud: LocalCloud) -> None:
    """The name comes from the source and the time of its data, and a name that exists is refused."""
    assert restore("--backup", BACKUP, "--no-wait").status == 0
    again = restore("--backup", BACKUP, "--no-wait")

    assert again.status == 2
    assert "exists already" in again.err
    assert "--follow customers-2" in again.err
    assert len(posts(cloud)) == 1


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"garble": True}, {"answer": {"status": 202, "body": ""}}])
def test_a_lost_answer_is_looked_up(restore: Run, cloud: LocalCloud, fault: dict[str, Any]) -> None:
    """The new instance is found by its name. If there is none, nothing is tried again."""
    cloud.set_faults([{**CREATE, **fault}])
    ran = restore("--backup", BACKUP, "--name", "copy", "--no-wait", "--json")

    assert len(posts(cloud)) == 1
    if "copy" in names(cloud):
        assert (ran.status, ran.json["state"]) == (0, "STARTED")
        assert ran.json["job_id"]
    else:
        assert (ran.status, ran.out) == (1, "")
        assert "it is not known whether the restore was started" in ran.err


@pytest.mark.slow
def test_what_was_not_carried_out_is_tried_again(restore: Run, cloud: LocalCloud) -> None:
    """Throttled calls, a few times."""
    cloud.set_faults([{**CREATE, "nth": [1, 2], **error(429, "APIGW.0308")}])
    assert restore("--backup", BACKUP, "--no-wait").status == 0
    assert len(posts(cloud)) == 3

    cloud.reset()
    cloud.set_faults([{**CREATE, **error(429, "APIGW.0308")}])
    ran = restore("--backup", BACKUP, "--no-wait")
    assert ran.status == 1
    assert "the restore was not started" in ran.err
    assert len(posts(cloud)) == 3


@pytest.mark.parametrize(
    ("code", "status", "advice"),
    [
        ("DBS.280445", 400, "--flavor KIND=SPEC_CODE"),
        ("DBS.200501", 400, "--subnet"),
        ("DBS.280244", 400, "--availability-zone"),
        ("DBS.200302", 400, "a multiple of 10 GB"),
        ("DBS.280280", 400, "the quota is used up"),
        ("DBS.280032", 403, "dds:instance:create"),
        ("DBS.200019", 403, "the source is in another operation"),
    ],
)
@pytest.mark.slow
def test_a_refusal_says_what_to_do(restore: Run, cloud: LocalCloud, code: str, status: int, advice: str) -> None:
    """The exit status is 1."""
    cloud.set_faults([{**CREATE, **error(status, code)}])
    ran = restore("--backup", BACKUP, "--no-wait")

    assert ran.status == 1
    assert f"the restore was not started: {code}" in ran.err
    assert advice in ran.err


def test_no_error_quotes_the_password(restore: Run, cloud: LocalCloud) -> None:
    """Even if DDS repeats it."""
    cloud.set_faults(
        [{**CREATE, "answer": {"status": 400, "body": {"error_code": "DBS.1", "error_msg": f"bad {SECRET}"}}}]
    )
    ran = restore("--backup", BACKUP, "--no-wait")

    assert ran.status == 1
    assert "bad ***" in ran.err
    assert SECRET not in ran.err


@pytest.mark.slow
def test_a_busy_source(restore: Run, cloud: LocalCloud) -> None:
    """The plan warns of it, and DDS refuses."""
    cloud.change_instance(CUSTOMERS, actions=["RESIZE_VOLUME"])
    ran = restore("--backup", BACKUP, "--no-wait")

    assert ran.status == 1
    assert "! The source is busy (RESIZE_VOLUME)." in ran.out
    assert "the source is in another operation" in ran.err


@pytest.mark.slow
def test_a_restore_that_fails(restore: Run, cloud: LocalCloud) -> None:
    """The reason is said, and what is left to delete."""
    cloud.set_backup_fault(BACKUP, ends_as="createfail")
    ran = restore("--backup", BACKUP, "--wait", "--json")

    assert (ran.status, ran.json["state"], ran.json["connection_string"]) == (1, "FAILED", None)
    assert "failed: The restored instance did not start." in ran.err
    assert "Delete what is left of customers-2" in ran.err


@pytest.mark.slow
def test_an_instance_that_comes_back_abnormal(restore: Run, cloud: LocalCloud) -> None:
    """The job may say what it likes."""
    cloud.set_backup_fault(BACKUP, ends_as="abnormal")
    ran = restore("--backup", BACKUP, "--wait")

    assert ran.status == 1
    assert "abnormal" in ran.err


@pytest.mark.slow
def test_a_restore_that_never_ends(restore: Run, cloud: LocalCloud) -> None:
    """The exit status is 3 at the timeout, and the display says that it is late."""
    cloud.set_backup_fault(BACKUP, never_ends=True)
    ran = restore("--backup", BACKUP, "--wait", "--timeout", "20m")

    assert ran.status == 3
    assert "timed out after 20 min" in ran.err
    assert "--follow customers-2" in ran.err


@pytest.mark.slow
def test_outages_do_not_end_the_following(restore: Run, cloud: LocalCloud) -> None:
    """They are shown."""
    assert restore("--backup", BACKUP, "--name", "copy", "--no-wait").status == 0
    cloud.set_faults([{"path": "/instances$", "nth": [2, 3], **error(503, "APIGW.0613")}])
    ran = restore("--follow", "copy")

    assert ran.status == 0
    assert ran.err.count("trying again") == 2


def test_ctrl_c_ends_the_following_alone(restore: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit status is 130, and the command to go on is there."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.restore.follow.look", interrupt)
    ran = restore("--backup", BACKUP, "--name", "copy", "--wait")

    assert ran.status == 130
    assert ran.err.splitlines()[-1].startswith("A restore goes on in the cloud. Follow it with: ddsbackup restore")


def test_ctrl_c_during_the_start(restore: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows what DDS has done, and the command says how to find out."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.restore.command.start", interrupt)
    ran = restore("--backup", BACKUP, "--name", "copy", "--wait")

    assert ran.status == 130
    assert ran.err.startswith("It is not known whether the restore has started. A restore goes on")
    assert "--follow copy" in ran.err


@pytest.mark.slow
def test_to_a_time(restore: Run, cloud: LocalCloud, clock: CloudClock) -> None:
    """DDS lists the periods. A time outside says which there are."""
    instance = with_incremental_backups(cloud)
    clock.sleep(86_400)
    now = clock.now()
    moment = now - timedelta(minutes=30)

    ran = restore("--instance", instance, "--time", moment.isoformat(), "--wait", "--json")
    assert (ran.status, ran.json["state"]) == (0, "COMPLETED")
    assert ran.json["plan"]["restore_time"] == moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert posts(cloud)[-1]["body"]["restore_point"]["type"] == "timestamp"

    early = restore("--instance", instance, "--time", (now - timedelta(days=3)).isoformat())
    assert early.status == 2
    assert "cannot be restored to" in early.err
    assert " to 20" in early.err


def with_incremental_backups(cloud: LocalCloud) -> str:
    """Switch on automatic and incremental backups of an instance. Returns its id."""
    from huaweicloudsdkdds.v3 import (
        BackupPolicy,
        DdsClient,
        SetBackupPolicyRequest,
        SetBackupPolicyRequestBody,
    )

    from tests.localcloud.sdk import build

    policy = BackupPolicy(
        keep_days="7", start_time="00:00-01:00", period="1,2,3,4,5,6,7", enable_incremental_backup=True
    )
    request = SetBackupPolicyRequest(CUSTOMERS, SetBackupPolicyRequestBody(policy))
    build(DdsClient, cloud).set_backup_policy(request)
    return CUSTOMERS


WAREHOUSE = ["--vpc", "v", "--subnet", "s", "--security-group", "g", "--availability-zone", "cn-north-4a"]


@pytest.mark.slow
def test_a_deleted_source(restore: Run) -> None:
    """Nothing says what it was, so the options have to. The message names all that are missing."""
    ran = restore("--instance", "warehouse", "--no-wait")
    assert ran.status == 2
    for option in (
        "--vpc",
        "--subnet",
        "--security-group",
        "--availability-zone",
        "--flavor replica=SPEC_CODE,size=GB",
    ):
        assert option in ran.err

    flavor = "replica=dds.mongodb.c6.large.2.repset,size=40"
    given = restore("--instance", "warehouse", *WAREHOUSE, "--flavor", flavor, "--dry-run", "--json")
    assert given.status == 0
    assert given.json["plan"]["new_instance"]["flavors"][0]["size"] == 40
    assert given.json["plan"]["source"]["exists"] is False


@pytest.mark.slow
def test_other_nodes_than_the_source(restore: Run) -> None:
    """The parts that are not given are the source's."""
    ran = restore("--backup", BACKUP, "--flavor", "replica=other.repset,size=60", "--no-tls", "--dry-run", "--json")
    assert ran.json["plan"]["new_instance"]["flavors"] == [
        {"type": "replica", "num": 1, "spec_code": "other.repset", "size": 60}
    ]
    assert ran.json["plan"]["new_instance"]["tls"] is False

    larger = restore("--backup", BACKUP, "--flavor", "replica=,size=60", "--dry-run", "--json")
    assert larger.json["plan"]["new_instance"]["flavors"][0]["spec_code"] == "dds.mongodb.c6.large.2.repset"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--instance", "custmers"], "did you mean 'customers'?"),
        (["--backup", "before-release-43"], "did you mean 'before-release-42'?"),
        (["--instance", "sessions", "--backup", BACKUP], "expected one of sessions"),
        (["--instance", "customers", "--latest", "--time", "2026-11-24T01:00:00Z"], "at most one of"),
        (["--instance", "customers", "--time", "yesterday"], "expected a time with a zone"),
        (["--instance", "customers", "--time", "2026-11-24 01:00"], "expected a time with a zone"),
        (["--instance", "customers", "--time", "2199-01-01T00:00:00Z"], "in the future"),
        (["--instance", "customers", "--time", "2026-11-24T01:00:00Z"], "DDS lists no period"),
        (["--instance", "warehouse", "--time", "2026-11-24T01:00:00Z"], "was deleted"),
        (["--instance", "customers", "--name", "x"], "expected 4 to 64"),
        (["--instance", "customers", "--name", "Drill-mine"], "restore drills"),
        (["--instance", "customers", "--name", "sessions"], "exists already"),
        (["--instance", "customers", "--flavor", "replica"], "expected KIND=SPEC_CODE"),
        (["--instance", "customers", "--flavor", "replicas=x"], "did you mean 'replica'?"),
        (["--instance", "customers", "--flavor", "shard=x"], "customers is a ReplicaSet"),
        (["--instance", "customers", "--flavor", "replica=,size=10"], "at least the source's 40 GB"),
        (["--instance", "customers", "--flavor", "replica=,size=45"], "a multiple of 10 GB"),
        (["--follow", "customers"], "was not made by a restore"),
        (["--follow", "nobody"], "no instance has the name or id 'nobody'"),
        (["--follow", "x", "--latest"], "--follow takes no other"),
        ([], "give --instance"),
    ],
)
@pytest.mark.slow
def test_wrong_calls(restore: Run, cloud: LocalCloud, arguments: list[str], said: str) -> None:
    """The message says what was found and what to do, and nothing is made."""
    ran = restore(*arguments)

    assert (ran.status, ran.out) == (2, "")
    assert said in " ".join(ran.err.split())
    assert posts(cloud) == []


@pytest.mark.slow
def test_what_cannot_be_restored(restore: Run, cloud: LocalCloud) -> None:
    """A failed backup, an instance without a good one, a quota that is used up."""
    failed = restore("--backup", "archive-2024")
    assert (failed.status, "only a COMPLETED one can be restored" in failed.err) == (1, True)

    none = restore("--instance", "sessions")
    assert (none.status, "sessions has no backup, expected a COMPLETED one" in none.err) == (1, True)

    used = {"quotas": {"resources": [{"type": "instance", "mode": "ReplicaSet", "quota": 9, "used": 9}]}}
    cloud.set_faults([{"path": "/quotas$", "answer": {"status": 200, "body": used}}])
    full = restore("--backup", BACKUP)
    assert (full.status, "9 of 9 ReplicaSet instances" in full.err) == (1, True)
    assert posts(cloud) == []


@pytest.mark.slow
def test_an_unknown_quota_does_not_stop_it(restore: Run, cloud: LocalCloud) -> None:
    """DDS checks it again."""
    cloud.set_faults([{"path": "/quotas$", **error(403, "DBS.280032")}])
    ran = restore("--backup", BACKUP, "--dry-run")

    assert ran.status == 0
    assert "quota        not known" in ran.out


def test_without_a_terminal_nobody_is_asked(ddsbackup: Run, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says to pass --yes, or how to give a password."""
    ran = ddsbackup("restore", "--cloud", cloud.url, "--backup", BACKUP)
    assert (ran.status, "pass --yes" in ran.err) == (2, True)

    monkeypatch.delenv(password.VARIABLE)
    ran = ddsbackup("restore", "--cloud", cloud.url, "--backup", BACKUP, "--yes")
    assert (ran.status, "pass --password-stdin" in ran.err) == (2, True)


def test_the_questions(ddsbackup: Run, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A no makes nothing. The password is asked for twice, until DDS would take it, and never shown."""
    monkeypatch.delenv(password.VARIABLE)
    for place in ("cli.restore.command", "cli.restore.password"):
        monkeypatch.setattr(f"{place}.is_interactive", lambda: True)
    arguments = ("restore", "--cloud", cloud.url, "--backup", BACKUP, "--no-wait")

    no = ddsbackup(*arguments, stdin="n\n")
    assert (no.status, "Nothing was restored." in no.err, posts(cloud)) == (1, True, [])

    yes = ddsbackup(*arguments, stdin=f"y\nshort\nshort\n{SECRET}\n{SECRET}\n")
    assert yes.status == 0
    assert "This cannot be used: it has 5 characters" in yes.err
    assert SECRET not in yes.out + yes.err


@pytest.mark.slow
def test_a_password_from_standard_input(restore: Run, cloud: LocalCloud) -> None:
    """Its first line. What DDS would refuse is refused before any call."""
    assert restore("--backup", BACKUP, "--password-stdin", "--no-wait", stdin="Other-Horse-8\n").status == 0
    assert posts(cloud)[0]["body"]["password"] != SECRET

    weak = restore("--backup", BACKUP, "--password-stdin", "--name", "copy", stdin="correct-horse\n")
    assert weak.status == 2
    assert "it has no upper-case letter, it has no digit" in weak.err
    assert "correct-horse" not in weak.err


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Aa1!aaaa", None),
        ("Aa1!" + "a" * 28, None),
        ("Aa1!aaa", "7 characters"),
        ("Aa1!" + "a" * 29, "33 characters"),
        ("AAAA111!", "lower-case"),
        ("Aaaaaaa!", "digit"),
        ("Aaaaaaa1", "none of"),
        ("Aa1!aaa a", "not allowed"),
        ("Aa1!aaä1", "not allowed"),
    ],
)
def test_the_rule_of_passwords(text: str, fault: str | None) -> None:
    """That of DDS."""
    said = ", ".join(password.faults(text))

    assert (said == "") if fault is None else (fault in said)


CLUSTER = Instance(
    "i",
    "orders",
    mode="Sharding",
    has_tls=True,
    groups=(NodeGroup("mongos", "m", hosts=("10.0.0.1", "10.0.0.2")), NodeGroup("shard", "s", hosts=("10.0.0.3",))),
)


def test_the_address_of_a_cluster() -> None:
    """Clients connect to the mongos nodes."""
    assert connection_string(CLUSTER) == (
        "mongodb://rwuser:<password>@10.0.0.1:8635,10.0.0.2:8635/?authSource=admin&tls=true"
    )
    assert "tlsCAFile" in next(checks(CLUSTER, "orders"))


def test_the_default_name_fits() -> None:
    """It has at most 64 characters, whatever the source is called."""
    began = datetime(2026, 11, 24, 2, 0, tzinfo=timezone.utc)
    point = Point(Backup("b", "n", "i", "COMPLETED", began))
    for name in ("orders", "x" * 64, "1st", ""):
        made = default_name(Source("i", name, "ReplicaSet", "4.0", None), point)
        assert made.endswith("-20261124T020000Z")
        assert len(made) <= 64
        assert made[0].isalpha()


def test_flavors() -> None:
    """Each part may be left out."""
    assert read_flavors(["mongos=m,num=3", "shard=s,size=80,num=2", "config="]) == {
        "mongos": ("m", None, 3),
        "shard": ("s", 80, 2),
        "config": (None, None, None),
    }


def test_the_time_that_is_left() -> None:
    """By what is expected, or else by the percentage."""
    seen = Seen(State.RUNNING, 25.0, "creating", None)

    assert said_of(seen, 60, (360, 780)) == "creating 25%, 5 to 12 min left"
    assert said_of(seen, 800, (360, 780)) == "creating 25%, longer than the 13 min that were expected"
    assert said_of(seen, 60, None) == "creating 25%, about 3 min left"


def test_the_bar_on_a_terminal() -> None:
    """With errors above it."""
    out = io.StringIO()
    with Bar(Console(file=out, force_terminal=True, width=120, highlight=False), "copy", (360, 780)) as bar:
        bar.seen(Seen(State.RUNNING, None, "not listed", None), 0)
        bar.seen(Seen(State.RUNNING, 40.0, "creating", None), 60)
        bar.failed(TransientError("503"), 70)

    assert "copy" in out.getvalue()
    assert "no answer (unavailable: 503), trying again" in out.getvalue()


def test_no_option_takes_a_password_or_an_existing_instance() -> None:
    """Neither the help nor the code of the command has a way to restore over an instance."""
    folder = Path(__file__).parents[2] / "cli" / "restore"
    code = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))

    assert "/recovery" not in code
    assert '"--password"' not in code
