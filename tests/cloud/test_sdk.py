"""Calls through the official SDK: whatever it raises ends at `SdkService`, and no call outlasts the invocation."""

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from localcloud import LocalCloud
from shared.cloud.credentials import Credentials
from shared.errors import AmbiguousError, CloudError, DeniedError, ThrottledError, TransientError
from shared.model import Notification
from shared.runtime.invocation import SystemClock
from tests.cloud.conftest import Adapters, adapters_for


NOTE = Notification("subject", '{"a": 1}', "for people", "short", {"event_type": "dds_backup_started"})

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


def list_jobs(adapters: Adapters) -> object:
    now = SystemClock().now()
    return adapters.jobs.created_between(now - timedelta(minutes=1), now)


# What the SDK makes of an unusable answer is never a success: a redirect and an empty answer look like one to it, and
# an empty list would mean that nothing exists.
CALLS: dict[str, tuple[dict[str, str], type[CloudError], Callable[[Adapters], object]]] = {
    "create": (
        {"method": "POST", "path": "/backups$"},
        AmbiguousError,
        lambda adapters: adapters.dds.create(adapters.instance, "some-name", ""),
    ),
    "delete": (
        {"method": "DELETE"},
        AmbiguousError,
        lambda adapters: adapters.dds.delete("43e4feaab48f41e89039fa163ebaa7e4br02"),
    ),
    "list backups": ({"method": "GET"}, TransientError, lambda adapters: adapters.dds.list()),
    "list jobs": ({"method": "GET"}, TransientError, list_jobs),
    "publish": ({"path": "/publish$"}, AmbiguousError, lambda adapters: adapters.topic.publish(NOTE)),
}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("call", CALLS)
def test_an_unusable_answer_is_ambiguous_for_a_call_that_writes(cloud: LocalCloud, call: str, fault: str) -> None:
    """The call may have been carried out. For a call that reads it is transient."""
    rule, kind, make = CALLS[call]
    # Some faults delay the answer for longer than the timeout.
    adapters = adapters_for(cloud.connection(), read=0.2)
    cloud.set_faults([{**rule, **LOST[fault]}])

    with pytest.raises(kind):
        make(adapters)


def closed_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_a_create_that_was_never_sent_is_transient(cloud: LocalCloud, host: str) -> None:
    """The connection is refused, or the host unknown, so nothing can have been created."""
    nowhere = adapters_for(cloud.connection(), endpoint=f"http://{host}:{closed_port()}")

    with pytest.raises(TransientError):
        nowhere.dds.create(nowhere.instance, "some-name", "")


def test_retry_after_is_part_of_the_error(cloud: LocalCloud, adapters: Adapters) -> None:
    """The SDK's exception does not have it. The next call starts without it."""
    cloud.set_faults([{"answer": {"status": 429, "headers": {"Retry-After": "7"}}, "times": 1}])

    with pytest.raises(ThrottledError) as caught:
        adapters.dds.create(adapters.instance, "some-name", "")

    assert caught.value.retry_after == 7
    adapters.dds.create(adapters.instance, "some-name", "")


@pytest.mark.parametrize("left", [0.2, -5.0])
def test_no_call_outlasts_the_invocation(cloud: LocalCloud, left: float) -> None:
    """The remaining time shortens the timeout of the call, which would otherwise get its answer."""
    adapters = adapters_for(cloud.connection(), read=600, left=left)
    cloud.set_faults([{"delay": 300}])

    with pytest.raises(AmbiguousError, match="Read timed out"):
        adapters.dds.create(adapters.instance, "some-name", "")


def test_an_error_does_not_repeat_the_key_or_the_token(cloud: LocalCloud, adapters: Adapters) -> None:
    """The gateway's error repeats every signed header."""
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


def test_the_next_call_uses_renewed_credentials(cloud: LocalCloud, adapters: Adapters) -> None:
    """The client stays the same."""
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


@pytest.mark.parametrize("code", ["DBS.280032", "APIGW.0302", "PDP5.0001"])
def test_a_forbidden_call_names_the_action_that_the_agency_lacks(
    cloud: LocalCloud, adapters: Adapters, code: str
) -> None:
    """Adding it to the agency's policy cures the error."""
    cloud.set_faults([{"path": "/backups$", "answer": {"status": 403, "code": code}}])

    with pytest.raises(DeniedError, match=r"\(IAM has to allow dds:backup:list\)$"):
        adapters.dds.list()


def test_a_403_for_another_reason_names_no_action(cloud: LocalCloud, adapters: Adapters) -> None:
    """The account is suspended."""
    cloud.set_faults([{"path": "/backups$", "answer": {"status": 403, "code": "DBS.280019"}}])

    with pytest.raises(DeniedError) as caught:
        adapters.dds.list()

    assert "IAM" not in str(caught.value)
