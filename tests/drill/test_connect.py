"""Level 2 by real parts: pymongo with SCRAM and TLS against the instances of a local cloud."""

import logging
import os
import re
import socket
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest
import trustme
from bson import DatetimeMS, ObjectId
from pymongo import monitoring
from pymongo.errors import OperationFailure

from localcloud import LocalCloud
from localcloud.seed import RWUSER
from shared.drill import connect
from shared.drill.checks import Check, Drilled, Inspection, Verdict
from shared.drill.connect import connector
from shared.drill.documents import DocumentChecks, DocumentRules, UnreadableError
from shared.model import Backup, Instance
from shared.retry import Deadline
from shared.runtime.invocation import SystemClock
from tests.cloud.conftest import adapters_for


CLOCK = SystemClock()
HOUR = timedelta(hours=1)
# DDS User Guide, Commands Supported and Restricted by DDS; the others are what every driver sends to sign in and out.
ALLOWED = {"ping", "listDatabases", "listCollections", "listIndexes", "count", "aggregate", "find", "getMore"}
OF_THE_DRIVER = {"hello", "ismaster", "saslStart", "saslContinue", "endSessions", "killCursors"}


class Recorder(monitoring.CommandListener):
    """Remembers the names of the commands that clients send."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.add(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


def instance(cloud: LocalCloud, name: str) -> Instance:
    """An instance as DDS lists it."""
    (found,) = [one for one in adapters_for(cloud.connection()).instances.list() if one.name == name]
    return found


@pytest.fixture
def copy(cloud: LocalCloud) -> Instance:
    """The instance that the checks read: a replica set with TLS."""
    return instance(cloud, "customers")


@pytest.fixture
def mongo(cloud: LocalCloud, copy: Instance, tmp_path: Path) -> Iterator["pymongo.MongoClient[dict[str, Any]]"]:
    """A client of the application, which writes to the copy what a faulty backup would have."""
    (tmp_path / "ca.pem").write_text(cloud.authority())
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        copy.groups[0].hosts[0],
        copy.port,
        username="rwuser",
        password=RWUSER,
        directConnection=True,
        tls=True,
        tlsCAFile=str(tmp_path / "ca.pem"),
        tlsAllowInvalidHostnames=True,
    )
    with client:
        yield client


def inspect(
    copy: Instance,
    ca: str | None = None,
    rules: DocumentRules | None = None,
    *,
    password: str = RWUSER,
    expect: dict[str, int] | None = None,
    patience: float = 5,
) -> Inspection:
    """Check a copy of a backup that began now."""
    backup = Backup("b" * 32 + "br02", "nightly", "source", "COMPLETED", CLOCK.now(), end_time=CLOCK.now())
    drilled = Drilled(copy, None, backup, None, password, expect or {})
    checks = DocumentChecks(rules or DocumentRules(), CLOCK, connector(ca, seconds=patience))
    return checks.inspect(drilled, None, Deadline.after(60, CLOCK))


def found(inspection: Inspection, name: str) -> Check:
    """The check of this name."""
    (check,) = [check for check in inspection.checks if check.name == name]
    return check


@pytest.mark.parametrize("name", ["customers", "catalogue", "metrics-cluster"])
def test_a_copy_is_read_whole(cloud: LocalCloud, name: str) -> None:
    """A replica set with TLS, one without, and a cluster. The seed's newest document is minutes old."""
    inspection = inspect(instance(cloud, name), cloud.authority(), DocumentRules(rpo=HOUR))

    assert inspection.verdict is Verdict.VERIFIED, inspection
    assert inspection.rpo is not None
    assert inspection.rpo < HOUR.total_seconds()
    assert found(inspection, "documents").passed


def test_only_commands_are_sent_that_dds_allows(cloud: LocalCloud, copy: Instance) -> None:
    """Neither dbHash nor validate: DDS forbids them."""
    recorder = Recorder()
    monitoring.register(recorder)
    rules = DocumentRules(rpo=HOUR, canary="crm.customers.created", small=50, sample=10)

    assert inspect(copy, cloud.authority(), rules, expect={"crm.contacts": 60}).verdict is Verdict.VERIFIED
    assert recorder.names >= ALLOWED - {"getMore"}
    assert recorder.names <= ALLOWED | OF_THE_DRIVER


def test_more_documents_than_a_batch_are_read(
    cloud: LocalCloud, copy: Instance, mongo: "pymongo.MongoClient[dict[str, Any]]"
) -> None:
    """The cursor is read to its end, and every document is decoded, whatever the application has stored."""
    odd: list[dict[str, Any]] = [{"_id": {"nested": 1}}, {"_id": 1.5, "at": DatetimeMS(2**62)}]
    mongo.shop.many.insert_many([*odd, *({"number": number} for number in range(1_200))])

    inspection = inspect(copy, cloud.authority())

    assert inspection.verdict is Verdict.VERIFIED
    assert int(found(inspection, "documents").found.split()[0].replace(",", "")) > 1_200


def test_a_document_that_cannot_be_decoded_is_a_failure(cloud: LocalCloud, copy: Instance) -> None:
    """The server gives what is on its disk. Here a text is longer than its document."""
    dds = cloud._cloud.dds
    content = dds.content(copy.id)
    contacts = content.collection("crm", "contacts")
    assert contacts
    stored = {key: re.sub(rb"\x02by\x00.", b"\x02by\x00\xff", body) for key, body in contacts.stored.items()}
    dds.write(copy.id, content.put("crm", "contacts", replace(contacts, stored=stored)))

    inspection = inspect(copy, cloud.authority())

    assert inspection.verdict is Verdict.FAILED
    assert found(inspection, "documents").passed is False
    assert "crm.contacts: a document cannot be decoded" in found(inspection, "documents").found


def test_a_file_can_have_the_certificate(cloud: LocalCloud, copy: Instance, tmp_path: Path) -> None:
    """A path is given instead of the certificate: an absolute one, or one from the root of the package."""
    (tmp_path / "dds.pem").write_text(cloud.authority())
    root = Path(connect.__file__).parent.parent.parent

    assert inspect(copy, str(tmp_path / "dds.pem")).verdict is Verdict.VERIFIED
    assert inspect(copy, os.path.relpath(tmp_path / "dds.pem", root)).verdict is Verdict.VERIFIED
    assert inspect(copy, str(tmp_path / "absent.pem")).verdict is Verdict.INCONCLUSIVE


def test_a_certificate_can_be_written_in_one_line(cloud: LocalCloud, copy: Instance) -> None:
    """As the value of a setting often has to be."""
    assert inspect(copy, cloud.authority().replace("\n", "\\n")).verdict is Verdict.VERIFIED


@pytest.mark.parametrize("name", [None, pytest.param("another", marks=pytest.mark.slow)])
def test_a_certificate_that_is_not_trusted_is_refused(copy: Instance, name: str | None) -> None:
    """Without DDS's CA, and with another, there is no connection. The reason names the setting."""
    ca = trustme.CA(organization_name=name).cert_pem.bytes().decode() if name else None
    (group,) = copy.groups

    inspection = inspect(replace(copy, groups=(replace(group, hosts=group.hosts[:1]),)), ca, patience=1)

    assert inspection.verdict is Verdict.INCONCLUSIVE
    assert "DRILL_CA" in found(inspection, "connection").reason


def test_a_wrong_password_is_no_failure_of_the_backup(
    cloud: LocalCloud, copy: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the reason why nothing was checked, and stands nowhere."""
    caplog.set_level(logging.DEBUG)

    inspection = inspect(copy, cloud.authority(), password="Secret#wrong1")

    assert inspection.verdict is Verdict.INCONCLUSIVE
    assert "Authentication failed" in found(inspection, "connection").reason
    assert "Secret#wrong1" not in repr(inspection)
    assert "Secret#wrong1" not in caplog.text


def test_a_right_password_and_the_documents_are_not_logged(
    cloud: LocalCloud, copy: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even by pymongo at DEBUG, nor with what cannot be read."""
    caplog.set_level(logging.DEBUG)

    inspect(copy, cloud.authority(), DocumentRules(canary="crm.customers.created"))

    assert RWUSER not in caplog.text
    assert "C-1" not in caplog.text


def test_an_error_has_no_password_whoever_put_it_there() -> None:
    """Neither its message nor its traceback."""
    secret = f"Secret#{1}"  # the traceback shows lines of this test
    with (
        pytest.raises(UnreadableError) as raised,
        connect._translated(secret, Deadline.after(5, CLOCK)),
    ):
        raise OperationFailure(f"cannot sign in rwuser:{secret}@192.168.0.1", 18)

    assert str(raised.value) == "cannot sign in rwuser:***@192.168.0.1"
    assert "".join(traceback.format_exception(raised.value)).count(secret) == 0


def test_nodes_that_cannot_be_reached_are_no_failure_of_the_backup(copy: Instance) -> None:
    """Each is tried within the time that there is."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        inspection = inspect(replace(copy, port=silent.getsockname()[1]), patience=0.2)
    without = inspect(replace(copy, groups=()))

    assert inspection.verdict is Verdict.INCONCLUSIVE
    assert without.verdict is Verdict.INCONCLUSIVE
    assert "lists no address" in found(without, "connection").reason


@pytest.mark.slow
def test_a_node_that_cannot_be_reached_is_passed_over(cloud: LocalCloud, copy: Instance) -> None:
    """One node of a replica set is enough."""
    (group,) = copy.groups
    groups = (replace(group, hosts=("127.0.0.2", *group.hosts)),)

    assert inspect(replace(copy, groups=groups), cloud.authority()).verdict is Verdict.VERIFIED


def test_a_lost_collection_is_found_by_what_is_expected(
    cloud: LocalCloud, copy: Instance, mongo: "pymongo.MongoClient[dict[str, Any]]"
) -> None:
    """Nothing in the copy itself tells that there was one."""
    mongo.crm.drop_collection("contacts")

    assert inspect(copy, cloud.authority()).verdict is Verdict.VERIFIED
    assert inspect(copy, cloud.authority(), expect={"crm.contacts": 1}).verdict is Verdict.FAILED


def test_half_of_the_documents_is_found_by_what_is_expected(
    cloud: LocalCloud, copy: Instance, mongo: "pymongo.MongoClient[dict[str, Any]]"
) -> None:
    """Fewer than the request says are a failure."""
    half = [document["_id"] for document in mongo.crm.contacts.find()][::2]
    mongo.crm.contacts.delete_many({"_id": {"$in": half}})

    assert inspect(copy, cloud.authority(), expect={"crm.contacts": 30}).verdict is Verdict.VERIFIED
    assert inspect(copy, cloud.authority(), expect={"crm.contacts": 50}).verdict is Verdict.FAILED


def test_stale_data_is_found_by_the_newest_document_and_the_canary(
    cloud: LocalCloud, copy: Instance, mongo: "pymongo.MongoClient[dict[str, Any]]"
) -> None:
    """Both measure by how much the newest data is older than the backup."""
    then = CLOCK.now() - timedelta(days=3)
    for database in ("crm", "newsletter"):
        for name in mongo[database].list_collection_names():
            mongo[database][name].delete_many({"_id": {"$gt": ObjectId.from_datetime(then)}})
    mongo.crm.heartbeat.insert_one({"_id": 1, "at": then})

    by_id = inspect(copy, cloud.authority(), DocumentRules(rpo=HOUR))
    by_canary = inspect(copy, cloud.authority(), DocumentRules(rpo=HOUR, canary="crm.heartbeat.at"))

    assert found(by_id, "newest document").passed is False
    assert found(by_canary, "canary").passed is False
    assert by_id.rpo is not None
    assert by_id.rpo >= timedelta(days=3).total_seconds()
    assert by_canary.rpo == pytest.approx(timedelta(days=3).total_seconds(), abs=60)
