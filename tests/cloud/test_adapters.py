"""DDS and SMN through the official SDK: what it lets through must end at the adapter."""

import socket
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from localcloud import LocalCloud
from shared.cloud.credentials import Credentials
from shared.errors import (
    AbsentError,
    AmbiguousError,
    CloudError,
    CredentialsError,
    DeniedError,
    ThrottledError,
    TransientError,
)
from shared.model import Notification
from shared.runtime.invocation import SystemClock
from tests.cloud.conftest import Adapters, adapters_for
from tests.fakes import FakeClock, FakeContext


NOTE = Notification("subject", '{"a": 1}', "for people", "short", {"event_type": "dds_backup_started"})
KEY = f"key:{'0' * 32}"

LOST: dict[str, dict[str, Any]] = {
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "truncated": {"truncate": 20},
    "garbled": {"garble": True},
    "redirected": {"answer": {"status": 302, "body": {}, "headers": {"Location": "http://127.0.0.1:9/"}}},
    "empty 202": {"answer": {"status": 202, "body": ""}},
    "without the field": {"answer": {"status": 200, "body": {}}},
    "a list": {"answer": {"status": 200, "body": []}},
    "html": {"answer": {"status": 502, "body": "<html>Bad Gateway</html>"}},
    "too slow": {"delay": 1.0},
}


@pytest.fixture
def hurried(cloud: LocalCloud) -> Adapters:
    """Adapters that wait a fifth of a second for an answer."""
    return adapters_for(cloud.connection(), read=0.2)


@pytest.mark.parametrize("fault", LOST)
def test_a_create_without_a_usable_answer_is_ambiguous(cloud: LocalCloud, hurried: Adapters, fault: str) -> None:
    """Whatever went wrong: nobody knows whether DDS made the backup."""
    cloud.set_faults([{"method": "POST", "path": "/backups$", **LOST[fault]}])

    with pytest.raises(AmbiguousError):
        hurried.dds.create(hurried.instance, "some-name", "")


@pytest.mark.parametrize("fault", LOST)
def test_a_delete_without_a_usable_answer_is_ambiguous(cloud: LocalCloud, hurried: Adapters, fault: str) -> None:
    """A redirect and an empty answer too: the SDK calls them successes."""
    cloud.set_faults([{"method": "DELETE", **LOST[fault]}])

    with pytest.raises(AmbiguousError):
        hurried.dds.delete("43e4feaab48f41e89039fa163ebaa7e4br02")


@pytest.mark.parametrize("fault", LOST)
def test_a_list_without_a_usable_answer_is_transient(cloud: LocalCloud, hurried: Adapters, fault: str) -> None:
    """And never an empty list, which would mean that nothing exists."""
    cloud.set_faults([{"method": "GET", **LOST[fault]}])

    with pytest.raises(TransientError):
        hurried.dds.list()


@pytest.mark.parametrize("fault", LOST)
def test_a_task_list_without_a_usable_answer_is_transient(cloud: LocalCloud, hurried: Adapters, fault: str) -> None:
    """The same."""
    cloud.set_faults([{"method": "GET", **LOST[fault]}])
    now = SystemClock().now()

    with pytest.raises(TransientError):
        hurried.jobs.created_between(now - timedelta(minutes=1), now)


@pytest.mark.parametrize("fault", LOST)
def test_a_publish_without_a_usable_answer_is_ambiguous(cloud: LocalCloud, hurried: Adapters, fault: str) -> None:
    """It is sent again: subscribers know it by its id."""
    cloud.set_faults([{"path": "/publish$", **LOST[fault]}])

    with pytest.raises(AmbiguousError):
        hurried.topic.publish(NOTE)


@pytest.mark.parametrize("field", ["size", "begin_time"])
def test_a_field_of_another_type_does_not_escape(cloud: LocalCloud, adapters: Adapters, field: str) -> None:
    """An empty text for a number makes the SDK raise a ValueError; a time that is none is not known."""
    backup = {"id": "b", "name": "n", "instance_id": "i", "status": "BUILDING", field: ""}
    cloud.set_faults([{"method": "GET", "answer": {"status": 200, "body": {"backups": [backup], "total_count": 1}}}])

    if field == "size":
        with pytest.raises(TransientError):
            adapters.dds.list()
    else:
        assert adapters.dds.list()[0].begin_time is None


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_create_that_was_never_sent_is_not_ambiguous(cloud: LocalCloud, host: str) -> None:
    """Refused or unresolved: nothing can have been made, so it may be repeated at once."""
    nowhere = adapters_for(cloud.connection(), endpoint=f"http://{host}:{closed_port()}")

    with pytest.raises(TransientError):
        nowhere.dds.create(nowhere.instance, "some-name", "")


def test_a_backup_is_created_listed_and_its_job_found(adapters: Adapters) -> None:
    """All three calls, field by field."""
    new = adapters.dds.create(adapters.instance, "some-name", KEY)

    (backup,) = adapters.dds.list(name_part="some-na", instance_id=adapters.instance)
    assert (backup.id, backup.name, backup.instance_id) == (new.backup_id, "some-name", adapters.instance)
    assert (backup.status, backup.description) == ("BUILDING", KEY)
    assert backup.begin_time
    assert abs(backup.begin_time - SystemClock().now()) < timedelta(minutes=1)
    minute = timedelta(minutes=1)
    jobs = adapters.jobs.created_between(backup.begin_time - minute, backup.begin_time + minute)
    assert [(job.id, job.instance_id) for job in jobs if job.id == new.job_id] == [(new.job_id, adapters.instance)]


def test_old_backups_are_left_out_of_a_list_since(cloud: LocalCloud, adapters: Adapters) -> None:
    """begin_time and end_time, in UTC."""
    adapters.dds.create(adapters.instance, "some-name", KEY)

    assert adapters.dds.list(name_part="some-name", since=SystemClock().now() - timedelta(hours=1))
    assert not adapters.dds.list(name_part="some-name", since=SystemClock().now() + timedelta(hours=1))


def test_a_region_that_tells_no_job_id(cloud: LocalCloud, adapters: Adapters) -> None:
    """Kuala Lumpur's page knows only the backup id."""
    answer = {"status": 200, "body": {"backup_id": "b-1"}}
    cloud.set_faults([{"method": "POST", "answer": answer}])

    assert adapters.dds.create(adapters.instance, "some-name", "").job_id is None


def test_lists_are_read_to_the_last_page(cloud: LocalCloud, adapters: Adapters) -> None:
    """100 a page; the count is not trusted to end the reading early."""

    def page(count: int, total: int) -> dict[str, Any]:
        backups = [
            {"id": f"b{number}", "name": "n", "instance_id": "i", "status": "COMPLETED"} for number in range(count)
        ]
        return {"status": 200, "body": {"backups": backups, "total_count": total}}

    cloud.set_faults(
        [
            {"method": "GET", "nth": [1], "answer": page(100, 50)},
            {"method": "GET", "nth": [1], "answer": page(100, 210)},
            {"method": "GET", "nth": [1], "answer": page(10, 210)},
        ]
    )

    assert len(adapters.dds.list()) == 210
    queries = [parse_qs(request["query"]) for request in cloud.requests() if request["method"] == "GET"]
    assert [query["offset"] for query in queries] == [["0"], ["100"], ["200"]]


def test_a_list_that_ends_too_early_is_no_list(cloud: LocalCloud, adapters: Adapters) -> None:
    """What is missing may be what must not be deleted, or what was made already."""
    item = {"id": "b", "name": "n", "instance_id": "i", "status": "COMPLETED"}
    pages = [[item], []]
    cloud.set_faults(
        [
            {"method": "GET", "nth": [1], "answer": {"status": 200, "body": {"backups": page, "total_count": 2}}}
            for page in pages
        ]
    )

    with pytest.raises(TransientError, match="ended after 1 of 2"):
        adapters.dds.list()


def test_a_message_reaches_each_subscriber_in_its_form(cloud: LocalCloud, adapters: Adapters) -> None:
    """People get a text, telephones a line, programs the CloudEvent."""
    message_id = adapters.topic.publish(NOTE)

    (message,) = cloud.messages()
    assert message["message_id"] == message_id
    assert message["subject"] == "subject"
    assert message["message"] == '{"a": 1}'
    assert message["message_attributes"] == [{"name": "event_type", "type": "STRING", "value": "dds_backup_started"}]
    said = {delivery["protocol"]: str(delivery["content"]) for delivery in message["deliveries"]}
    assert "for people" in said["email"]
    assert "short" in said["sms"]
    assert "{" in said["https"]


def test_retry_after_is_passed_on(cloud: LocalCloud, adapters: Adapters) -> None:
    """The SDK's exception does not carry it."""
    cloud.set_faults([{"answer": {"status": 429, "headers": {"Retry-After": "7"}}, "times": 1}])

    with pytest.raises(ThrottledError) as caught:
        adapters.dds.create(adapters.instance, "some-name", "")

    assert caught.value.retry_after == 7
    adapters.dds.create(adapters.instance, "some-name", "")


@pytest.mark.parametrize("left", [0.2, -5.0])
def test_no_call_outlasts_the_invocation(cloud: LocalCloud, left: float) -> None:
    """What is left of the invocation shortens the timeout of the call."""
    adapters = adapters_for(cloud.connection(), left=left)
    cloud.set_faults([{"delay": 2.0}])
    before = SystemClock().monotonic()

    with pytest.raises(AmbiguousError):
        adapters.dds.create(adapters.instance, "some-name", "")

    assert SystemClock().monotonic() - before < 1.5


def test_the_gateways_errors_repeat_the_token_and_ours_do_not(cloud: LocalCloud, adapters: Adapters) -> None:
    """ "verify aksk signature fail, canonicalRequest:..." holds every signed header."""
    connection = adapters.connection
    leak = " ".join(str(connection[name]) for name in ("access_key", "secret_key", "security_token"))
    body = {"error_code": "APIGW.0301", "error_msg": f"verify aksk signature fail, canonicalRequest: {leak}"}
    cloud.set_faults([{"answer": {"status": 401, "body": body}}])

    with pytest.raises(DeniedError) as caught:
        adapters.dds.list()

    assert str(caught.value).endswith("canonicalRequest: *** *** ***")


def test_a_wrong_key_is_denied(cloud: LocalCloud) -> None:
    """The local cloud verifies signatures as the gateway does."""
    stranger = adapters_for({**cloud.connection(), "secret_key": "wrong"})

    with pytest.raises(DeniedError):
        stranger.dds.create(stranger.instance, "some-name", "")


def test_renewed_credentials_are_used_at_once(cloud: LocalCloud, adapters: Adapters) -> None:
    """The client lives on, its credentials do not."""
    connection = adapters.connection
    bad = Credentials("ak", "sk", "token", connection["project_id"])
    good = Credentials(
        connection["access_key"], connection["secret_key"], connection["security_token"], connection["project_id"]
    )

    adapters.renew(bad)
    with pytest.raises(CloudError):
        adapters.dds.list()
    adapters.renew(good)

    assert adapters.dds.list() is not None


def test_credentials_show_nothing_secret() -> None:
    """Neither in a representation nor in a log."""
    credentials = Credentials.of(FakeContext(), "p")

    assert "AGENCY" not in repr(credentials)
    assert credentials.redact("SK-OF-THE-AGENCY and TOKEN-OF-THE-AGENCY") == "*** and ***"


@pytest.mark.parametrize("missing", ["access_key", "secret_key", "security_token"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_function_without_an_agency_is_told_so(missing: str, nothing: str | None) -> None:
    """The message says what to do."""
    context = FakeContext()
    setattr(context, missing, nothing)

    with pytest.raises(CredentialsError, match="configure an agency"):
        Credentials.of(context, "p")


def test_a_job_is_followed_to_its_end(cloud: LocalCloud, adapters: Adapters) -> None:
    """Running with progress, then Completed."""
    new = adapters.dds.create(adapters.instance, "some-name", KEY)
    assert new.job_id

    assert adapters.jobs.show(new.job_id).status == "Running"
    cloud.advance(600)
    job = adapters.jobs.show(new.job_id)

    assert (job.id, job.status, job.instance_id) == (new.job_id, "Completed", adapters.instance)
    (backup,) = adapters.dds.list(name_part="some-name")
    assert backup.status == "COMPLETED"
    assert backup.size
    assert backup.begin_time
    assert backup.end_time
    assert backup.end_time > backup.begin_time


def test_an_unknown_job_is_absent(adapters: Adapters) -> None:
    """DBS.200543 is in no table of the documents, but in the official Terraform provider."""
    with pytest.raises(AbsentError):
        adapters.jobs.show("8f14e45f-ceea-467f-a8f4-000000000000")


@pytest.mark.parametrize("body", [{}, {"job": None}, {"job": {"id": "x"}}], ids=["nothing", "null", "no status"])
def test_a_job_without_a_status_is_transient(cloud: LocalCloud, adapters: Adapters, body: dict[str, Any]) -> None:
    """It says nothing about the job."""
    cloud.set_faults([{"path": "/jobs$", "answer": {"status": 200, "body": body}}])

    with pytest.raises(TransientError):
        adapters.jobs.show("x")


def test_a_backup_is_deleted(cloud: LocalCloud, adapters: Adapters) -> None:
    """Being deleted it is DISABLED, then gone; deleted again it is absent."""
    new = adapters.dds.create(adapters.instance, "some-name", KEY)
    cloud.advance(600)

    adapters.dds.delete(new.backup_id)
    cloud.advance(600)

    assert not adapters.dds.list(name_part="some-name")
    with pytest.raises(AbsentError):
        adapters.dds.delete(new.backup_id)


def test_all_instances_are_listed_with_what_selects_them(cloud: LocalCloud, adapters: Adapters) -> None:
    """Name, status, mode, tags and enterprise project."""
    instances = {instance.id: instance for instance in adapters.instances.list()}

    assert set(instances) == {instance["id"] for instance in cloud.state()["instances"]}
    first = instances["a89dab5e39394eccbdb77b19d57b0180in02"]
    assert (first.name, first.status, first.mode) == ("orders-cluster", "normal", "Sharding")
    assert first.tags["env"] == "production"
    assert {instance.status for instance in instances.values()} > {"normal", "frozen"}
    assert any(instance.enterprise_project_id not in {"", "0"} for instance in instances.values())


def test_a_long_list_that_is_throttled_goes_on_where_it_stood(cloud: LocalCloud) -> None:
    """If it started again at each 429, it would never end."""
    clock = FakeClock()
    connection = cloud.connection()
    adapters = adapters_for(connection, clock=clock)
    backups = [{"id": f"b{number}", "name": "n", "instance_id": "i", "status": "COMPLETED"} for number in range(100)]
    full = {"status": 200, "body": {"backups": backups, "total_count": 250}}
    rest = {"status": 200, "body": {"backups": backups[:50], "total_count": 250}}
    answers = [full, {"status": 429}, {"status": 503}, full, {"status": 429}, rest]
    cloud.set_faults([{"method": "GET", "nth": [1], "answer": answer} for answer in answers])

    assert len(adapters.dds.list()) == 250
    queries = [parse_qs(request["query"])["offset"][0] for request in cloud.requests()]
    assert queries == ["0", "100", "100", "100", "200", "200"]
    assert clock.slept[:2] == [0.25, 0.5]
    assert clock.seconds < 5


def test_a_long_list_is_not_waited_for_beyond_the_deadline(cloud: LocalCloud) -> None:
    """What is left of the invocation bounds the pauses; the error is the caller's answer."""
    clock = FakeClock()
    adapters = adapters_for(cloud.connection(), left=0.2, clock=clock)
    backups = [{"id": f"b{number}", "name": "n", "instance_id": "i", "status": "COMPLETED"} for number in range(100)]
    cloud.set_faults(
        [
            {"method": "GET", "nth": [1], "answer": {"status": 200, "body": {"backups": backups, "total_count": 250}}},
            {"method": "GET", "answer": {"status": 429}},
        ]
    )

    with pytest.raises(ThrottledError):
        adapters.dds.list()
    assert not clock.slept


def test_a_page_that_never_comes_is_given_up(cloud: LocalCloud) -> None:
    """Five tries, then the error; a page that is denied is not tried again."""
    clock = FakeClock()
    adapters = adapters_for(cloud.connection(), clock=clock)
    backups = [{"id": f"b{number}", "name": "n", "instance_id": "i", "status": "COMPLETED"} for number in range(100)]
    first = {"method": "GET", "nth": [1], "answer": {"status": 200, "body": {"backups": backups, "total_count": 250}}}

    cloud.set_faults([first, {"method": "GET", "answer": {"status": 503}}])
    with pytest.raises(TransientError):
        adapters.dds.list()
    assert len(cloud.requests()) == 6

    cloud.set_faults([first, {"method": "GET", "answer": {"status": 403}}])
    with pytest.raises(DeniedError):
        adapters.dds.list()
    assert len(cloud.requests()) == 8


@pytest.mark.parametrize("code", ["DBS.280032", "APIGW.0302", "PDP5.0001"])
def test_a_forbidden_call_says_which_action_the_agency_lacks(cloud: LocalCloud, adapters: Adapters, code: str) -> None:
    """Whoever reads the log can put the missing action into the agency's policy."""
    cloud.set_faults([{"path": "/backups$", "answer": {"status": 403, "code": code}}])

    with pytest.raises(DeniedError, match=r"\(IAM has to allow dds:backup:list\)$"):
        adapters.dds.list()


def test_a_403_for_another_reason_asks_for_no_action(cloud: LocalCloud, adapters: Adapters) -> None:
    """An account that is suspended lacks money, not a policy."""
    cloud.set_faults([{"path": "/backups$", "answer": {"status": 403, "code": "DBS.280019"}}])

    with pytest.raises(DeniedError) as caught:
        adapters.dds.list()

    assert "agency" not in str(caught.value)
