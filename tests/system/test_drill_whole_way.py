"""A drill the whole way by real parts: deployed, on its timer, over TLS, with policies enforced and documents read.

Only the cloud is not the real one. The functions run from their zips in processes of FunctionGraph, call DDS and SMN
through the official SDK over HTTPS, and read the copy with pymongo over TLS. The Node driver reads beside them.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import huaweicloudsdkfunctiongraph.v2 as sdk
import pytest
from click.testing import CliRunner
from pymongo import MongoClient

from cli.cloud import open_cloud
from cli.deploy import deployment
from cli.main import main
from cli.package.build import build_packages
from cli.package.model import Package
from cli.paths import CHECKOUT
from cli.template.model import Function
from localcloud import LocalCloud
from localcloud.dds.specification import SUBNET, VPC
from localcloud.seed import RWUSER
from shared.cloud.restores import DdsRestores
from shared.drill.schedule import Schedule, read_hours
from tests.bench.tls import https, listen
from tests.cloud.conftest import adapters_for
from tests.deploy.conftest import PYTHON, python_of_the_local_cloud
from tests.localcloud.sdk import build


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate of the endpoints"),
]
SOURCE = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
PROJECT = "6f0d2c1e-58a7-4a0b-9d3e-2b7f4c9a1d05"
COLLECTION = "crm.customers"
TICK = 300.0
DAY = 86_400.0
HOURS = "02:30-04:30"
SCHEDULE = Schedule(timedelta(days=1), read_hours(HOURS))
NODE = shutil.which("node")
READER = Path(__file__).with_name("mongo_reader.js")


class Rehearsal:
    """The application on a local cloud, with what a person has: keys, the drivers of MongoDB, the command."""

    def __init__(self, cloud: LocalCloud, ca: Path) -> None:
        self.cloud = cloud
        self.ca = ca
        self.restores = DdsRestores(adapters_for(cloud.connection()).jobs._service)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + timedelta(seconds=self.cloud.clock_offset())

    def wait_until(self, moment: datetime) -> None:
        self.cloud.advance(max(0.0, (moment - self.now()).total_seconds()))

    def tick(self, is_over: Callable[[], object]) -> None:
        """Let the timers fire every five minutes until something is over."""
        for _ in range(8):
            if is_over():
                return
            self.cloud.advance(TICK)
        drills = [one for one in self.cloud.invocations() if "drill_backups" in one["function_urn"]]
        raise AssertionError(f"did not come to its end: {drills[-2:]}")

    def tick_until(self, kind: str) -> Any:
        """Let the timers fire until a notification of this type is published. Returns its message."""
        self.tick(lambda: self.told(kind))
        return self.told(kind)[-1]

    def told(self, kind: str) -> list[Any]:
        return [message for message in self.cloud.messages() if json.loads(message["message"])["type"] == kind]

    def writes(self) -> list[tuple[str, str]]:
        """Return what drill_backups has asked DDS to change, oldest first: method and path."""
        keys = {one["access_key"] for one in self.cloud.invocations() if "drill_backups" in one["function_urn"]}
        made = [one for one in self.cloud.requests() if one["access_key"] in keys and one["method"] != "GET"]
        return [(one["method"], one["path"]) for one in made if not one["path"].endswith("/publish")]

    def instance(self, instance_id: str) -> Any:
        return next((one for one in self.cloud.state()["instances"] if one["id"] == instance_id), None)

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Return the result of the deployed function."""
        Path("event.json").write_text(json.dumps(event), encoding="utf-8")
        answer = ddsbackup("invoke", function, "--deployed", "-e", "event.json", "--json", "--cloud", self.cloud.url)
        return json.loads(answer)["result"]

    def remove_timers(self, *functions: str) -> None:
        """Delete the triggers of functions, so that days pass quickly."""
        client = build(sdk.FunctionGraphClient, self.cloud)
        for function in self.cloud.functions():
            if function["func_name"] in functions:
                request = sdk.BatchDeleteFunctionTriggersRequest(function_urn=function["func_urn"])
                client.batch_delete_function_triggers(request)

    def write(self, number: str) -> None:
        """Write a customer with pymongo, and the time at which the application did so."""
        client: MongoClient[dict[str, Any]] = MongoClient(
            self.instance(SOURCE)["uri"], password=RWUSER, tlsCAFile=str(self.ca), tlsAllowInvalidHostnames=True
        )
        with client:
            client["crm"]["customers"].insert_one({"number": number})
            client["crm"]["heartbeat"].insert_one({"at": self.now()})

    def read_by_node(self, copy: str) -> tuple[list[str], list[str]] | None:
        """Return the customers of the source and the copy as the Node driver reads them. None without the driver.

        The function keeps the password of the copy nowhere, so a person sets another one, before it does.
        """
        if (
            NODE is None
            or subprocess.run([NODE, "-e", "require('mongodb')"], capture_output=True, check=False).returncode
        ):
            return None
        given = "Str0ng#enough"
        self.restores.reset_password(copy, given)
        self.cloud.advance(5)
        return self._read(NODE, SOURCE, RWUSER), self._read(NODE, copy, given)

    def _read(self, node: str, instance_id: str, password: str) -> list[str]:
        uri = self.instance(instance_id)["uri"]
        assert "tls=true" in uri
        arguments = [node, str(READER), uri, password, str(self.ca), *COLLECTION.split(".")]
        answer = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
        assert answer.returncode == 0, answer.stderr
        numbers: list[str] = json.loads(answer.stdout)
        return numbers


def ddsbackup(*arguments: str) -> str:
    """Return what the command prints."""
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def packages() -> Iterator[None]:
    """Package for the Python that runs the functions, without byte code, which takes long."""

    def quick(functions: Sequence[Function], **options: Any) -> tuple[Package, ...]:
        options |= {"python": python_of_the_local_cloud(), "with_byte_code": False}
        return tuple(replace(package, python=PYTHON) for package in build_packages(functions, **options))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployment, "build_packages", quick)
        yield


@pytest.fixture(scope="module")
def rehearsal(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Deploy the template with drills switched on, an hour before the nightly backup."""
    folder = tmp_path_factory.mktemp("application")
    listener, host = listen()
    with (
        LocalCloud(allow_hosts=[host], enforce_policies=True) as cloud,
        https(cloud.url, folder, listener) as (endpoint, bundle),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.chdir(folder)
        ca = folder / "ca.pem"
        ca.write_text(cloud.authority(), encoding="ascii")
        write_application(
            folder, {"DDS_ENDPOINT": endpoint, "SMN_ENDPOINT": endpoint, "REQUESTS_CA_BUNDLE": str(bundle)}
        )
        rehearsal = Rehearsal(cloud, ca)
        now = rehearsal.now()
        night = now.replace(hour=1, minute=0, second=0, microsecond=0)
        rehearsal.wait_until(night + timedelta(days=night < now))
        values = {"NotifyEmail": "dba@example.com", "InstanceId": SOURCE, "DrillEnterpriseProjectId": PROJECT}
        given = [part for name, value in values.items() for part in ("--parameter", f"{name}={value}")]
        ddsbackup("deploy", "--cloud", cloud.url, *given, "--yes")
        with open_cloud(cloud.url) as client:
            for one in client.call("GET", f"{client.project}/notifications/subscriptions")["subscriptions"]:
                if one["status"] == 0:
                    cloud.confirm(one["subscription_urn"])
        yield rehearsal


def write_application(folder: Path, platform: dict[str, str]) -> None:
    """Write the application with a template that reads documents in drills and calls the cloud over HTTPS."""
    for name in ("shared", "functions"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "requirements.txt", folder)
    shutil.copy(folder / "ca.pem", folder / "functions" / "drill_backups" / "dds-ca.pem")
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    text = replaced(text, "        # - DDS.ListTasks  # for policies", "        - DDS.ListTasks  # for policies")
    text = replaced(text, "severity: [notice, ", "severity: [info, notice, ")
    text = replaced(text, "last=3 daily=7 weekly=4 monthly=12 yearly=2 max_age=800d", "last=1")
    everywhere = "".join(f"        {name}: {value}\n" for name, value in platform.items())
    text = replaced(
        text, "        NOTIFY_TOPIC_URN: ${NotifyTopic}\n", f"        NOTIFY_TOPIC_URN: ${{NotifyTopic}}\n{everywhere}"
    )
    others, head, drills = text.partition("  DrillBackups:\n")
    settings = {
        "DRY_RUN": '"false"',
        "DRILL_INTERVAL": "1d",
        "DRILL_HOURS": HOURS,
        "DRILL_CONNECT": '"true"',
        "DRILL_CA": "dds-ca.pem",
        "DRILL_CANARY": "crm.heartbeat.at",
    }
    lines = "".join(f"          {name}: {value}\n" for name, value in settings.items())
    drills = replaced(drills, '          DRY_RUN: "true"\n', lines)
    network = f"      VpcConfig: {{VpcId: {VPC}, SubnetId: {SUBNET}}}\n"
    drills = replaced(drills, "      Agency: ${Prefix}-drill\n", f"      Agency: ${{Prefix}}-drill\n{network}")
    (folder / "template.yaml").write_text(others + head + drills, encoding="utf-8")


def replaced(text: str, old: str, new: str) -> str:
    """Replace a part that is there once."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


@dataclass(frozen=True)
class Story:
    """What was seen while a drill ran.

    Attributes:
        data: of the notification that the backup is verified.
        mail: the same, as its e-mail.
        read: the customers that the Node driver has read from the source and the copy; None without it.
        writes: what the function has asked DDS to change: method and path.
        audited, pruned: the results of the other functions afterwards.
    """

    data: dict[str, Any]
    mail: str
    read: tuple[list[str], list[str]] | None
    writes: list[tuple[str, str]]
    audited: dict[str, Any]
    pruned: dict[str, Any]


@pytest.fixture(scope="module")
def story(rehearsal: Rehearsal) -> Story:
    """Let a night pass with a backup, then the drill that follows it from its begin to the deletion of the copy."""
    night = rehearsal.now().replace(hour=1, minute=59)
    rehearsal.wait_until(night)
    rehearsal.write("C-4711")
    rehearsal.wait_until(night + timedelta(minutes=10))
    rehearsal.write("too late")
    rehearsal.wait_until(SCHEDULE.slot(SOURCE, rehearsal.now() + SCHEDULE.interval).begin)
    started = rehearsal.tick_until("dds.drill.started")
    copy = json.loads(started["message"])["data"]["drill_instance_id"]
    rehearsal.tick(lambda: rehearsal.instance(copy)["status"] == "normal")
    read = rehearsal.read_by_node(copy)
    message = rehearsal.tick_until("dds.drill.verified")
    data = json.loads(message["message"])["data"]
    rehearsal.tick(lambda: rehearsal.instance(copy) is None)
    policy = {"name": "nightly", "instance_ids": [SOURCE], "expected_interval": "1d", "verified_within": "30d"}
    audited = rehearsal.invoke("audit_backups", {"policies": [policy]})
    writes = rehearsal.writes()
    rehearsal.remove_timers("track_backups", "drill_backups")
    rehearsal.cloud.advance(2 * DAY)
    pruned = rehearsal.invoke("prune_backups", {"dry_run": True})
    mail = next(one["content"]["message"] for one in message["deliveries"] if one["protocol"] == "email")
    return Story(data, mail, read, writes, audited, pruned)


def test_every_check_passes(story: Story) -> None:
    """Within the function, pymongo reads all documents over TLS, also what was written a minute before the backup."""
    checks = {check["name"]: check for check in story.data["checks"]}
    assert all(check["passed"] for check in checks.values())
    assert {check["level"] for check in checks.values()} == {0, 1, 2}
    assert checks["connection"]["found"] == "with TLS"
    assert checks["documents"]["found"] == "134 documents of 4 collections"  # of 132, a customer and a heartbeat
    assert 0 < story.data["rpo"]["newest_data"] < 120
    assert 360 < story.data["rto"]["restore"] < 1200


def test_a_person_is_told(story: Story) -> None:
    """The subscriber of the topic gets an e-mail with the verdict."""
    assert story.mail.startswith("DDS backup verified by a drill: customers, restored in ")
    assert "documents: passed; " in story.mail


def test_the_node_driver_reads_the_same(story: Story) -> None:
    """The copy has what was written before the backup and not what was written after it. The source has both."""
    if story.read is None:
        pytest.skip("node, or the Node driver mongodb in NODE_PATH, is not on this machine")
    source, copy = story.read
    assert "C-4711" in copy
    assert set(source) - set(copy) == {"too late"}
    assert len(copy) == 49


def test_only_the_copy_is_changed(story: Story) -> None:
    """The function makes one instance, and then sets a password, tags, restarts and deletes only that one."""
    made, *others = story.writes
    assert (made[0], made[1].rpartition("/")[2]) == ("POST", "instances")
    assert {path.partition("/instances/")[2].partition("/")[0] for _, path in others} == {
        story.data["drill_instance_id"]
    }
    assert [method for method, _ in others].count("DELETE") == 1


def test_the_copy_is_in_the_recycle_bin(story: Story, rehearsal: Rehearsal) -> None:
    """It lay in the enterprise project of the drills, and the source is as it was."""
    (recycled,) = rehearsal.cloud.state()["recycle_bin"]
    assert (recycled["id"], recycled["name"]) == (story.data["drill_instance_id"], story.data["drill"])
    assert recycled["enterprise_project_id"] == PROJECT
    assert rehearsal.instance(SOURCE)["status"] == "normal"


def test_the_audit_sees_the_mark(story: Story) -> None:
    """The completed restart of the copy tells audit_backups that the backup is verified."""
    (audit,) = story.audited["audits"]
    assert (audit["totals"]["verified"], audit["totals"]["unverified"]) == (1, 0)


def test_pruning_keeps_the_verified_backup(story: Story) -> None:
    """Two newer backups follow, and no rule keeps it any more. It is the newest one that is verified."""
    (run,) = story.pruned["runs"]
    fates = {backup["backup_id"]: backup["reasons"] for of in run["instances"] for backup in of["backups"]}
    assert fates[story.data["backup_id"]] == ["newest_verified"]


def test_no_invocation_fails(story: Story, rehearsal: Rehearsal) -> None:
    """With policies enforced, no function of the application lacks a permission."""
    assert story.data["valid"] == "verified"
    failed = [one["error"] for one in rehearsal.cloud.invocations() if not one["ok"]]
    assert failed == []
