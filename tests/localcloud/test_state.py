"""State files, which survive a restart and a kill -9, seeds, and reset."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkdds.v3 import DdsClient, ListBackupsRequest, ShowJobDetailRequest
from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody, SmnClient

from localcloud import LocalCloud
from localcloud.seed import load_seed
from tests.localcloud.sdk import build, new_backup


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CUSTOMERS = "2c5e8b7d4f6a49d1b3c08e9a7f51d264in02"
SERVE = """
import sys
from pathlib import Path
from localcloud import serve
serve(
    port=0,
    state_file=Path(sys.argv[1]),
    fixed_credentials=True,
    announce=lambda connection: print(connection["endpoint"], flush=True),
)
"""


@contextmanager
def served(state_file: Path) -> Iterator[tuple[str, int]]:
    """A local cloud in a process of its own: URL and process id. The process is killed at the end."""
    with subprocess.Popen([sys.executable, "-c", SERVE, str(state_file)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.kill()


def publish(cloud: Any, text: str, client: Any = None) -> str:
    """Publish a message with the SDK."""
    request = PublishMessageRequest(
        topic_urn=cloud.connection()["topic_urn"], body=PublishMessageRequestBody(message=text)
    )
    client = client or build(SmnClient, cloud)
    return str(client.publish_message(request).message_id)


class Remote:
    """The part of LocalCloud that a client needs, for a local cloud in another process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def connection(self) -> Any:
        """The response of /_local/connection."""
        return self.get("connection")

    def get(self, what: str) -> Any:
        """The response of a path under /_local."""
        return httpx.get(f"{self.url}/_local/{what}", trust_env=False).json()


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """After a kill -9, the effects of all answered calls exist: backups, jobs, messages, clock, faults, keys."""
    state_file = tmp_path / "state.db"
    with served(state_file) as (url, pid):
        cloud: Any = Remote(url)
        dds = build(DdsClient, cloud)
        headers = {"X-Auth-Token": cloud.connection()["token"]}
        auth = {"auth": {"identity": {"methods": ["token"]}}}
        credential = httpx.post(
            f"{url}/v3.0/OS-CREDENTIAL/securitytokens", json=auth, headers=headers, trust_env=False
        ).json()["credential"]
        first = dds.create_manual_backup(new_backup(ORDERS, "first"))
        httpx.post(f"{url}/_local/clock", json={"advance": 40}, trust_env=False)
        message_id = publish(cloud, "hello")
        rules = [{"method": "GET", "path": "/quotas$", "answer": {"status": 503}}]
        httpx.put(f"{url}/_local/faults", json=rules, trust_env=False)
        second = dds.create_manual_backup(new_backup(CUSTOMERS, "second"))
        calls = cloud.get("requests")
        os.kill(pid, signal.SIGKILL)

    with served(state_file) as (url, _):
        again: Any = Remote(url)
        temporary = build(
            DdsClient,
            again,
            access_key=credential["access"],
            secret_key=credential["secret"],
            security_token=credential["securitytoken"],
        )
        kept = {backup["id"]: backup for backup in again.get("state")["backups"]}
        job = temporary.show_job_detail(ShowJobDetailRequest(id=first.job_id)).job

        assert kept[first.backup_id]["status"] == kept[second.backup_id]["status"] == "BUILDING"
        assert kept[second.backup_id]["job_id"] == second.job_id
        assert int(job.progress.removesuffix("%")) >= 58
        assert [message["message_id"] for message in again.get("messages")] == [message_id]
        assert again.get("requests")[: len(calls)] == calls
        assert again.get("clock")["offset"] == 40
        assert again.get("faults") == [rules[0] | {"matched": 0, "acted": 0}]


@pytest.mark.slow
def test_kill_9_in_the_middle_of_many_calls(tmp_path: Path) -> None:
    """A cloud that is killed between two responses has every message for which it returned an id."""
    state_file = tmp_path / "state.db"
    with served(state_file) as (url, pid):
        cloud: Any = Remote(url)
        client = build(SmnClient, cloud)
        answered = [publish(cloud, str(number), client) for number in range(30)]
        os.kill(pid, signal.SIGKILL)

    with served(state_file) as (url, _):
        assert [message["message_id"] for message in Remote(url).get("messages")] == answered


@pytest.mark.parametrize("is_there", [False, True])
def test_the_state_file_is_its_owners(tmp_path: Path, is_there: bool) -> None:
    """The state file and the files that SQLite keeps beside it have mode 0600, also if they had another one."""
    state_file = tmp_path / "state.db"
    if is_there:
        with LocalCloud(state_file=state_file) as cloud:
            publish(cloud, "hi")
        state_file.chmod(0o644)
    with LocalCloud(state_file=state_file) as cloud:
        publish(cloud, "hi")
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}

    assert "state.db-wal" in modes
    assert set(modes.values()) == {0o600}


def test_a_restart_keeps_the_state(tmp_path: Path) -> None:
    """After a restart a local cloud has the same state, clock and switches; its instances listen elsewhere."""
    state_file = tmp_path / "state.db"
    with LocalCloud(state_file=state_file, unique_names=False) as cloud:
        created = build(DdsClient, cloud).create_manual_backup(new_backup(ORDERS))
        cloud.advance(86_400 * 2)
        cloud.switch(job_delay=3)
        before = cloud.state()
    with LocalCloud(state_file=state_file) as cloud:
        after = cloud.state()
        [backup] = build(DdsClient, cloud).list_backups(ListBackupsRequest(backup_id=created.backup_id)).backups
        switches = cloud.switches()

    for instance in [*before["instances"], *after["instances"]]:
        instance["uri"] = None
    assert after == before
    assert backup.status == "COMPLETED"
    assert (switches["job_delay"], switches["unique_names"]) == (3, False)


def test_a_reset_survives_a_restart(tmp_path: Path) -> None:
    """After a reset and a restart the state is that of the seed."""
    state_file = tmp_path / "state.db"
    with LocalCloud(state_file=state_file) as cloud:
        build(DdsClient, cloud).create_manual_backup(new_backup(ORDERS))
        cloud.advance(100)
        cloud.reset()
    with LocalCloud(state_file=state_file) as cloud:
        names = {backup["name"] for backup in cloud.state()["backups"]}
        offset = cloud.clock_offset()

    assert "mybackup1" not in names
    assert offset == 0


def test_a_file_in_use(tmp_path: Path) -> None:
    """A second local cloud on the same file is an error."""
    with LocalCloud(state_file=tmp_path / "state.db"), pytest.raises(ValueError, match="in use by another"):
        LocalCloud(state_file=tmp_path / "state.db")


def test_a_file_that_is_not_a_state_file(tmp_path: Path) -> None:
    """A file of another kind is an error that names it, and is left alone."""
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be looked at" * 10)

    with pytest.raises(ValueError, match=r"notes\.txt is not a state file of a local cloud"):
        LocalCloud(state_file=tmp_path / "notes.txt")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    """A state file that cannot be created is an error that names it."""
    with pytest.raises(ValueError, match=r"nowhere/state\.db cannot be used: unable to open"):
        LocalCloud(state_file=tmp_path / "nowhere" / "state.db")


def test_a_state_of_another_version(tmp_path: Path) -> None:
    """A state file of an incompatible version is an error."""
    with LocalCloud(state_file=tmp_path / "state.db"):
        pass
    database = sqlite3.connect(tmp_path / "state.db")
    with database:
        database.execute("update facts set body = '{}' where kind = 'instance'")
    database.close()

    with pytest.raises(ValueError, match="was made by another version: remove it"):
        LocalCloud(state_file=tmp_path / "state.db")


def test_a_state_of_another_seed(tmp_path: Path, other_seed: Path) -> None:
    """A state file can only be used with the seed it was made from."""
    with LocalCloud(state_file=tmp_path / "state.db"):
        pass

    with pytest.raises(ValueError, match="was made from another seed"):
        LocalCloud(state_file=tmp_path / "state.db", seed=other_seed)


@pytest.fixture
def other_seed(tmp_path: Path) -> Path:
    """A seed file with another region."""
    path = tmp_path / "seed.yaml"
    path.write_text(
        """
region: eu-west-101
project: {id: 11111111111111111111111111111111, name: eu-west-101}
domain: {id: 22222222222222222222222222222222, name: mine}
credentials: {access_key: AK, secret_key: SK, security_token: null, token: T}
instances:
  - {id: 33333333333333333333333333333333in02, name: only, mode: Single, actions: [REBOOT], busy_for: 60}
  - {id: 44444444444444444444444444444444in02, name: other, mode: Single,
     backup_policy: {keep_days: 7, start_time: "19:00-20:00", period: "1"}}
topics: [{name: t, subscriptions: [{protocol: email, endpoint: a@example.com, confirmed: false}]}]
""".replace("id: 11111111111111111111111111111111", 'id: "11111111111111111111111111111111"').replace(
            "id: 22222222222222222222222222222222", 'id: "22222222222222222222222222222222"'
        )
    )
    return path


def test_another_seed(local_cloud_factory: Callable[..., LocalCloud], other_seed: Path) -> None:
    """Another seed file defines region, credentials, instances and topics."""
    cloud = local_cloud_factory(seed=other_seed, fixed_credentials=True)
    connection = cloud.connection()
    busy = cloud.state()["instances"][0]["actions"]
    publish(cloud, "hi")
    cloud.advance(60)

    assert connection["region"] == "eu-west-101"
    assert connection["topic_urn"] == f"urn:smn:eu-west-101:{'1' * 32}:t"
    assert (connection["access_key"], connection["security_token"], connection["token"]) == ("AK", None, "T")
    assert connection["instance_ids"] == ["4" * 32 + "in02"]
    assert (busy, cloud.state()["instances"][0]["actions"]) == (["REBOOT"], [])
    assert cloud.state()["instances"][1]["backup_policy"]["start_time"] == "19:00-20:00"
    assert cloud.messages()[0]["deliveries"] == []


def test_a_seed_that_changes_the_built_in_one(local_cloud_factory: Callable[..., LocalCloud], tmp_path: Path) -> None:
    """A file with a few entries changes these instances, adds new ones, and leaves the rest as it is."""
    path = tmp_path / "seed.yaml"
    new = "3" * 32 + "in02"
    path.write_text(
        f"region: eu-west-101\ninstances:\n- {{id: {ORDERS}, tags: {{env: test}}}}\n"
        f"- {{id: {new}, name: mine, mode: Single}}\n"
    )
    cloud = local_cloud_factory(seed=path)
    instances = {one["id"]: one for one in cloud.state()["instances"]}

    assert len(instances) == len(load_seed().instances) + 1
    assert instances[ORDERS]["tags"] == {"env": "test", "backup": "nightly", "team": "orders"}
    assert (instances[ORDERS]["name"], instances[new]["name"]) == ("orders-cluster", "mine")
    assert cloud.connection()["topic_urn"].startswith("urn:smn:eu-west-101:")


@pytest.mark.parametrize(
    "selector",
    [{"backup": []}, {"env": ["production"]}, {"backup": ["hourly"]}, {"backup": ["nightly"]}, {"backup": ["weekly"]}],
    ids=str,
)
def test_the_selectors_of_the_guides(cloud: LocalCloud, selector: dict[str, list[str]]) -> None:
    """Each selector of the guides chooses instances of the built-in seed, and all of them can be backed up."""
    [(key, values)] = selector.items()
    chosen = {
        one["id"]
        for one in cloud.state()["instances"]
        if key in one["tags"] and (not values or one["tags"][key] in values)
    }

    assert chosen
    assert chosen <= set(cloud.connection()["instance_ids"])


def test_a_permanent_key(local_cloud_factory: Callable[..., LocalCloud], other_seed: Path) -> None:
    """The key of a seed without security_token is permanent, and refused together with a security token."""
    cloud = local_cloud_factory(seed=other_seed, fixed_credentials=True)

    with pytest.raises(ClientRequestException) as refused:
        publish(cloud, "hi", build(SmnClient, cloud, security_token="of another"))

    assert "ak AK is permanent and takes no security token" in refused.value.error_msg


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not YAML"),
        ("- a", "seed.yaml: "),
        ("instances: [{id: x}]", "seed.yaml: instances.15.id"),
        ("region: Mars", "a region has lower-case letters"),
        ("regions: y", "unknown field: regions. Known fields: region, project"),
    ],
)
def test_invalid_seed_files(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file and its problems."""
    path = tmp_path / "seed.yaml"
    path.write_text(text)

    with pytest.raises(ValueError, match=message):
        LocalCloud(seed=path)


def test_reset_puts_everything_back(cloud: LocalCloud, dds: Any) -> None:
    """A reset keeps the credentials, and restores the backups of the seed, the switches, the clock and the faults."""
    before, backups = cloud.connection(), cloud.state()["backups"]
    dds.create_manual_backup(new_backup(ORDERS))
    publish(cloud, "hi")
    cloud.change_instance(CUSTOMERS, status="abnormal")
    cloud.switch(unique_names=False)
    cloud.advance(1000)
    cloud.set_faults([{"delay": 0.0}])

    cloud.reset()

    assert cloud.connection() == before
    assert [one["id"] for one in cloud.state()["backups"]] == [one["id"] for one in backups]
    assert (cloud.messages(), cloud.requests(), cloud.faults()) == ([], [], [])
    assert {one["status"] for one in cloud.state()["instances"] if one["id"] == CUSTOMERS} == {"normal"}
    assert cloud.switches()["unique_names"] is True
    assert cloud.clock_offset() == 0
    assert dds.create_manual_backup(new_backup(ORDERS)).status_code == 200
