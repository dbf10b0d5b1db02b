"""Fault rules: which calls they match, and their effects on a real connection."""

import time
from typing import Any

import httpx
import pytest
import requests
from huaweicloudsdkcore.exceptions.exceptions import ConnectionException, ServerResponseException
from huaweicloudsdkdds.v3 import DdsClient, ListBackupsRequest
from huaweicloudsdksmn.v2 import PublishMessageRequest, PublishMessageRequestBody

from localcloud import LocalCloud
from tests.localcloud.sdk import build, new_backup, rejection


ORDERS = "a89dab5e39394eccbdb77b19d57b0180in02"
CREATE = {"method": "POST", "path": "^/v3/[^/]+/backups$"}


def mine(cloud: LocalCloud) -> list[str]:
    """The names of the backups of the first instance."""
    return [backup["name"] for backup in cloud.state()["backups"] if backup["instance_id"] == ORDERS]


def statuses(http: httpx.Client, path: str, calls: int) -> list[int]:
    """The statuses of a number of calls."""
    return [http.get(path).status_code for _ in range(calls)]


def test_answer(cloud: LocalCloud, dds: Any) -> None:
    """answer replaces the response, and the call has no effect."""
    answer = {"status": 403, "body": {"error_code": "DBS.200019", "error_msg": "busy"}, "headers": {"Retry-After": "3"}}
    cloud.set_faults([CREATE | {"answer": answer}])

    assert rejection(dds.create_manual_backup, new_backup(ORDERS)) == (403, "DBS.200019")
    assert mine(cloud) == []


@pytest.mark.parametrize(
    ("path", "answer", "body"),
    [
        ("/v3/{}/backups", {"status": 500}, {"error_code": "DBS.280005"}),
        ("/v3/{}/backups", {"status": 403, "code": "X", "message": "no"}, {"error_code": "X", "error_msg": "no"}),
        ("/v2/{}/notifications/topics", {"status": 503}, {"code": "SMN.0018", "message": "Internal error."}),
        ("/v2/{}/notifications/topics", {"status": 403, "code": "SMN.0070"}, {"code": "SMN.0070"}),
        ("/v3/{}/backups", {"status": 502}, {"error_code": "APIGW.0201", "error_msg": "Backend unavailable"}),
        ("/v3/{}/backups", {"status": 429}, {"error_code": "APIGW.0308"}),
        ("/v3/{}/backups", {"status": 418}, {"error_code": "APIGW.0201"}),
        ("/v3/{}/backups", {"status": 599}, {"error_code": "APIGW.0601"}),
        (
            "/v3/projects",
            {"status": 500},
            {"error": {"code": 500, "message": "Internal server error.", "title": "Internal Server Error"}},
        ),
    ],
)
def test_default_error_bodies(
    cloud: LocalCloud, http: httpx.Client, path: str, answer: dict[str, Any], body: dict[str, Any]
) -> None:
    """Without a body an error has the error body of the service or of the gateway."""
    cloud.set_faults([{"answer": answer}])

    response = http.get(path.format(cloud.connection()["project_id"]))

    assert response.status_code == answer["status"]
    assert body.items() <= response.json().items()


@pytest.mark.parametrize(
    ("body", "content"),
    [("<html>", "<html>"), (None, "null"), ([1], "[1]"), ("", "")],
)
def test_any_body_can_be_given(cloud: LocalCloud, http: httpx.Client, project: str, body: Any, content: str) -> None:
    """A string is sent unchanged, any other body as JSON."""
    cloud.set_faults([{"answer": {"status": 502, "body": body, "headers": {"Content-Type": "text/html"}}}])

    response = http.get(f"{project}/quotas")

    assert (response.text, response.headers["Content-Type"]) == (content, "text/html")


@pytest.mark.parametrize("status", [200, 202, 204, 304, 302])
def test_a_success_has_no_default_body(cloud: LocalCloud, http: httpx.Client, project: str, status: int) -> None:
    """Below 400 the default body is empty, and the connection stays open. 204 and 304 never have a body."""
    body = {"body": {"a": 1}} if status in {204, 304} else {}
    cloud.set_faults([{"answer": {"status": status} | body, "times": 2}])

    first, second, third = (http.get(f"{project}/quotas") for _ in range(3))

    assert (first.status_code, first.content) == (second.status_code, second.content) == (status, b"")
    assert third.status_code == 200


def test_a_success_without_a_body(cloud: LocalCloud, dds: Any) -> None:
    """To the SDK a 302 without a body is a success without ids."""
    cloud.set_faults([CREATE | {"answer": {"status": 302, "headers": {"Location": "/"}}}])

    created = dds.create_manual_backup(new_backup(ORDERS))

    assert (created.status_code, created.backup_id) == (302, None)


def test_drop_before(cloud: LocalCloud, dds: Any) -> None:
    """The connection is cut, and the call has no effect."""
    cloud.set_faults([CREATE | {"drop": "before"}])

    with pytest.raises(ConnectionException, match="Connection aborted"):
        dds.create_manual_backup(new_backup(ORDERS))

    assert mine(cloud) == []
    assert cloud.requests()[0]["status"] is None


@pytest.mark.parametrize("also", [{}, {"answer": {"status": 503}, "delay": 0.01}], ids=["alone", "with an answer"])
def test_drop_after(cloud: LocalCloud, dds: Any, also: dict[str, Any]) -> None:
    """The connection is cut after the call has taken effect, even if the rule has an answer. The next call succeeds."""
    cloud.set_faults([CREATE | {"drop": "after"} | also])

    with pytest.raises(ConnectionException, match="Connection aborted"):
        dds.create_manual_backup(new_backup(ORDERS))

    assert mine(cloud) == ["mybackup1"]
    assert dds.list_backups(ListBackupsRequest(backup_name="mybackup1")).total_count == 1


def test_truncate(cloud: LocalCloud, dds: Any) -> None:
    """The body ends before its Content-Length, and the call has taken effect."""
    cloud.set_faults([CREATE | {"truncate": 20}])

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="20 bytes read"):
        dds.create_manual_backup(new_backup(ORDERS))

    assert mine(cloud) == ["mybackup1"]


def test_truncate_a_large_body(cloud: LocalCloud, project: str) -> None:
    """Exactly the given number of bytes arrives, even of a large body."""
    cloud.set_faults([{"answer": {"status": 200, "body": "x" * 6_000_000}, "truncate": 5_000_000}])

    response = requests.get(f"{cloud.url}{project}/quotas", stream=True, timeout=10)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="5000000 bytes read, 1000000 more expected"):
        response.content  # noqa: B018 - reading it is the point


def test_truncate_beyond_the_body(cloud: LocalCloud, dds: Any) -> None:
    """A body that is shorter than truncate arrives complete."""
    cloud.set_faults([CREATE | {"truncate": 20_000}])

    assert dds.create_manual_backup(new_backup(ORDERS)).backup_id


def test_garble(cloud: LocalCloud, dds: Any) -> None:
    """A garbled body keeps its length. To the SDK it is a success without ids."""
    cloud.set_faults([CREATE | {"garble": True}])

    created = dds.create_manual_backup(new_backup(ORDERS))

    assert (created.status_code, created.backup_id) == (200, None)
    assert mine(cloud) == ["mybackup1"]


def test_delay_is_a_slow_success(cloud: LocalCloud, dds: Any) -> None:
    """delay alone delays a successful response."""
    cloud.set_faults([CREATE | {"delay": 0.2}])
    began = time.monotonic()

    created = dds.create_manual_backup(new_backup(ORDERS))

    assert time.monotonic() - began >= 0.2
    assert created.backup_id


def test_a_read_timeout_leaves_a_backup(cloud: LocalCloud) -> None:
    """After a read timeout the backup exists: only the response is delayed."""
    impatient = build(DdsClient, cloud, timeout=(3, 0.1))
    cloud.set_faults([CREATE | {"delay": 0.4}])

    with pytest.raises(requests.exceptions.ReadTimeout):
        impatient.create_manual_backup(new_backup(ORDERS))

    assert mine(cloud) == ["mybackup1"]


def test_delays_do_not_block_each_other(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """A delayed call does not delay others."""
    cloud.set_faults([CREATE | {"delay": 0.5}, {"delay": 0.0}])
    impatient = build(DdsClient, cloud, timeout=(3, 0.01))
    with pytest.raises(requests.exceptions.ReadTimeout):
        impatient.create_manual_backup(new_backup(ORDERS))
    began = time.monotonic()

    http.get(f"{project}/quotas")

    assert time.monotonic() - began < 0.4


def test_nth_and_times(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """nth selects matching calls, counted from 1, and times limits how often the rule acts."""
    fail = {"path": "/quotas$", "answer": {"status": 503}}
    cloud.set_faults([fail | {"nth": [1, 3]}])
    assert statuses(http, f"{project}/quotas", 4) == [503, 200, 503, 200]
    cloud.set_faults([fail | {"times": 2}])
    assert statuses(http, f"{project}/quotas", 4) == [503, 503, 200, 200]
    cloud.set_faults([fail | {"nth": 2}])
    assert statuses(http, f"{project}/quotas", 3) == [200, 503, 200]
    cloud.set_faults([fail | {"nth": [2, 3, 4], "times": 1}])
    assert statuses(http, f"{project}/quotas", 4) == [200, 503, 200, 200]


def test_other_calls_do_not_count(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """A rule counts only calls that match its method and path."""
    cloud.set_faults([{"method": "GET", "path": "/quotas$", "nth": [2], "answer": {"status": 503}}])

    http.get(f"{project}/tags")
    http.get(f"{project}/quotas")
    http.post(f"{project}/backups", json={})
    http.get(f"{project}/quotas")

    [rule] = cloud.faults()
    assert (rule["matched"], rule["acted"]) == (2, 1)
    assert [call["fault"] for call in cloud.requests()] == [None, None, None, 0]


def test_the_first_rule_that_acts_applies(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """A rule that does not act leaves the call to the next rule. Rules after the one that acts do not count it."""
    cloud.set_faults([{"times": 1, "answer": {"status": 503}}, {"answer": {"status": 500}}])

    assert statuses(http, f"{project}/quotas", 3) == [503, 500, 500]
    assert [(rule["matched"], rule["acted"]) for rule in cloud.faults()] == [(3, 1), (2, 2)]


def test_probability_is_repeatable(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """A probability selects the same calls in every run, and other calls with another seed."""
    rule = {"probability": 0.5, "answer": {"status": 503}}

    def run(seed: int) -> list[int]:
        cloud.set_faults([rule | {"seed": seed}])
        return statuses(http, f"{project}/quotas", 20)

    assert set(run(0)) == {200, 503}
    assert run(0) == run(0)
    assert run(0) != run(1)


def test_throttling(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """per_minute limits the calls per minute of the local clock. The others are 429 APIGW.0308."""
    cloud.set_faults([{"path": "/quotas$", "per_minute": 2}])

    assert statuses(http, f"{project}/quotas", 3) == [200, 200, 429]
    body = http.get(f"{project}/quotas").json()
    cloud.advance(61)
    assert statuses(http, f"{project}/quotas", 3) == [200, 200, 429]
    assert body["error_code"] == "APIGW.0308"
    assert body["error_msg"] == (
        "The throttling threshold has been reached: policy user over ratelimit,limit:2,time:1 minute"
    )


def test_throttling_leaves_other_rules_alone(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """A call within the rate limit is passed to the next rule."""
    cloud.set_faults([{"per_minute": 1}, {"answer": {"status": 503}}])

    assert statuses(http, f"{project}/quotas", 2) == [503, 429]


def test_faults_spare_the_local_endpoints(cloud: LocalCloud, http: httpx.Client) -> None:
    """A rule without a path does not apply to /_local and /docs."""
    cloud.set_faults([{"answer": {"status": 503}}])

    assert http.get("/_local/state").status_code == 200
    assert http.get("/docs").status_code == 200


def test_urns_are_matched_decoded(cloud: LocalCloud, smn: Any) -> None:
    """A path is matched decoded: the SDK encodes the colons of a URN."""
    topic = cloud.connection()["topic_urn"]
    cloud.set_faults([{"path": f"/topics/{topic}/publish$", "answer": {"status": 500}}])

    with pytest.raises(ServerResponseException) as failed:
        smn.publish_message(PublishMessageRequest(topic_urn=topic, body=PublishMessageRequestBody(message="a")))

    assert failed.value.error_code == "SMN.0018"


def test_rules_are_removed(cloud: LocalCloud, http: httpx.Client, project: str) -> None:
    """DELETE and a reset remove all rules."""
    cloud.set_faults([{"answer": {"status": 503}}])
    assert http.delete("/_local/faults").json() == []
    assert http.get(f"{project}/quotas").status_code == 200
    cloud.set_faults([{"answer": {"status": 503}}])
    cloud.reset()
    assert cloud.faults() == []


def test_rules_can_be_set_as_returned(cloud: LocalCloud) -> None:
    """Rules are returned as given, with their counters, and can be set again in this form."""
    rule = {
        "method": "GET",
        "path": "/quotas$",
        "nth": [1],
        "delay": 0.1,
        "answer": {"status": 503, "headers": {"A": "b"}},
    }
    cloud.set_faults([rule])
    shown = cloud.faults()
    cloud.set_faults(shown)

    assert shown == [rule | {"matched": 0, "acted": 0}]
    assert cloud.faults() == shown


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"metod": "GET", "delay": 1}, "unknown field: metod. Known fields: method, path"),
        ({"method": "GET"}, "the rule has no effect: give one of answer, delay"),
        ({"path": "(", "delay": 1}, "not a regular expression"),
        ({"answer": {}}, "Field required"),
        ({"answer": {"status": 99}}, "greater than or equal to 200"),
        ({"answer": {"status": 200, "text": "x"}}, "unknown field: text. Known fields: status, body"),
        ({"answer": {"status": 200, "headers": {"a b": "c"}}}, "should match pattern"),
        ({"answer": {"status": 200, "headers": {"a": "\u20ac"}}}, "should match pattern"),
        ({"drop": "during"}, "'before' or 'after'"),
        ({"nth": [0], "delay": 1}, "greater than or equal to 1"),
        ({"probability": 2, "delay": 1}, "less than or equal to 1"),
        ({"delay": -1}, "greater than or equal to 0"),
        ({"truncate": "x"}, "valid integer"),
    ],
)
def test_invalid_rules(cloud: LocalCloud, rule: dict[str, Any], message: str) -> None:
    """An invalid rule is rejected with the reason, and the current rules stay."""
    cloud.set_faults([{"delay": 0.0}])

    with pytest.raises(ValueError, match=message):
        cloud.set_faults([rule])

    assert len(cloud.faults()) == 1


def test_cut_connections_are_not_logged_as_errors(
    cloud: LocalCloud, http: httpx.Client, project: str, caplog: Any
) -> None:
    """Cutting a connection logs no warning or error."""
    cloud.set_faults([{"times": 1, "drop": "before"}, {"times": 1, "drop": "after"}, {"times": 1, "truncate": 1}])

    for _ in range(3):
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(f"{project}/quotas")

    assert http.get(f"{project}/quotas").status_code == 200
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR", "CRITICAL"}] == []


def test_the_error_names_the_invalid_rule(http: httpx.Client) -> None:
    """The error contains the index of the invalid rule."""
    response = http.put("/_local/faults", json=[{"delay": 0}, {"delay": "x"}])

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", 1, "delay"]
