"""Each documented error that a create, a list or a publish may meet, over real HTTP through the real SDK."""

import pytest

from localcloud import LocalCloud
from shared.cloud.error_table import ERROR_TABLE, classify
from shared.errors import (
    AbsentError,
    AmbiguousError,
    BusyError,
    CloudError,
    DeniedError,
    ExistsError,
    InvalidError,
    ThrottledError,
    TransientError,
)
from shared.model import Notification
from tests.cloud.conftest import Adapters


NOTE = Notification("subject", "{}", "text", "text")

# Code, HTTP status, what a create makes of it. From "DDS API, Error Codes" and "API Gateway, Error Codes".
DDS_ROWS: list[tuple[str, int, type[CloudError]]] = [
    ("DBS.200019", 403, BusyError),
    ("DBS.201015", 403, BusyError),
    ("DBS.201014", 403, BusyError),
    ("DBS.200076", 403, BusyError),
    ("DBS.201000", 403, BusyError),
    ("DBS.00010009", 400, BusyError),
    ("DBS.200011", 403, BusyError),
    ("DBS.200018", 403, BusyError),
    ("DBS.200047", 400, BusyError),
    ("DBS.201202", 400, BusyError),
    ("DBS.212003", 400, BusyError),
    ("DBS.280042", 403, BusyError),
    ("DBS.201319", 400, BusyError),
    ("DBS.200998", 400, TransientError),
    ("DBS.280443", 429, ThrottledError),
    ("DBS.280005", 500, AmbiguousError),
    ("DBS.201509", 500, AmbiguousError),
    ("DBS.201201", 400, ExistsError),
    ("DBS.280277", 400, InvalidError),
    ("DBS.280127", 400, InvalidError),
    ("DBS.280404", 400, InvalidError),
    ("DBS.280124", 400, InvalidError),
    ("DBS.201214", 400, AbsentError),
    ("DBS.201204", 400, AbsentError),
    ("DBS.200543", 400, AbsentError),
    ("DBS.200002", 404, AbsentError),
    ("DBS.280110", 400, AbsentError),
    ("DBS.201501", 400, AbsentError),
    ("DBS.201502", 400, AbsentError),
    ("DBS.201028", 403, AbsentError),
    ("DBS.280016", 400, AbsentError),
    ("DBS.200604", 403, DeniedError),
    ("DBS.200001", 400, InvalidError),
    ("DBS.200095", 400, InvalidError),
    ("DBS.201006", 400, InvalidError),
    ("DBS.280001", 400, InvalidError),
    ("DBS.290000", 400, InvalidError),
    ("DBS.212017", 400, InvalidError),
    ("DBS.212019", 400, InvalidError),
    ("DBS.280271", 400, InvalidError),
    ("DBS.200004", 400, InvalidError),
    ("DBS.280439", 400, InvalidError),
    ("DBS.280440", 400, InvalidError),
    ("DBS.280067", 400, InvalidError),
    ("DBS.280068", 400, InvalidError),
    ("DBS.280409", 400, InvalidError),
    ("DBS.280416", 400, InvalidError),
    ("DBS.280342", 400, InvalidError),
    ("DBS.280343", 400, InvalidError),
    ("DBS.280408", 400, DeniedError),
    ("DBS.280433", 403, InvalidError),
    ("DBS.200010", 400, DeniedError),
    ("DBS.280015", 400, DeniedError),
    ("DBS.280056", 401, DeniedError),
    ("DBS.280064", 401, DeniedError),
    ("DBS.280032", 403, DeniedError),
    ("DBS.280063", 403, DeniedError),
    ("DBS.280019", 403, DeniedError),
    ("APIGW.0101", 404, InvalidError),
    ("APIGW.0201", 413, InvalidError),
    ("APIGW.0201", 502, AmbiguousError),
    ("APIGW.0201", 504, AmbiguousError),
    ("APIGW.0301", 401, DeniedError),
    ("APIGW.0302", 403, DeniedError),
    ("APIGW.0303", 401, DeniedError),
    ("APIGW.0304", 403, DeniedError),
    ("APIGW.0305", 401, DeniedError),
    ("APIGW.0306", 403, DeniedError),
    ("APIGW.0307", 401, DeniedError),
    ("APIGW.0308", 429, ThrottledError),
    ("APIGW.0310", 403, DeniedError),
    ("APIGW.0401", 403, DeniedError),
    ("APIGW.0402", 403, DeniedError),
    ("APIGW.0601", 500, AmbiguousError),
    ("APIGW.0602", 400, InvalidError),
    ("APIGW.0605", 500, AmbiguousError),
    ("APIGW.0606", 500, AmbiguousError),
    ("APIGW.0608", 500, AmbiguousError),
    ("APIGW.0609", 500, AmbiguousError),
    ("APIGW.0610", 502, AmbiguousError),
    ("APIGW.0613", 503, AmbiguousError),
    ("NOT.DOCUMENTED", 400, InvalidError),
    ("NOT.DOCUMENTED", 401, DeniedError),
    ("NOT.DOCUMENTED", 403, DeniedError),
    ("NOT.DOCUMENTED", 404, AbsentError),
    ("NOT.DOCUMENTED", 408, TransientError),
    ("NOT.DOCUMENTED", 409, BusyError),
    ("NOT.DOCUMENTED", 413, InvalidError),
    ("NOT.DOCUMENTED", 429, ThrottledError),
    ("NOT.DOCUMENTED", 503, AmbiguousError),
]

# "SMN API, Error Codes".
SMN_ROWS: list[tuple[str, int, type[CloudError]]] = [
    ("SMN.0001", 403, DeniedError),
    ("SMN.0005", 400, InvalidError),
    ("SMN.0006", 404, AbsentError),
    ("SMN.0008", 403, InvalidError),
    ("SMN.0009", 403, InvalidError),
    ("SMN.0021", 400, InvalidError),
    ("SMN.0032", 400, InvalidError),
    ("SMN.0042", 400, InvalidError),
    ("SMN.0027", 404, AbsentError),
    ("SMN.0038", 400, InvalidError),
    ("SMN.0070", 403, DeniedError),
    ("SMN.0071", 403, DeniedError),
    ("SMN.0075", 403, InvalidError),
    ("SMN.0076", 404, AbsentError),
    ("SMN.0227", 400, InvalidError),
    ("SMN.0261", 400, DeniedError),
    ("SMN.00308", 403, DeniedError),
    ("SMN.0016", 500, AmbiguousError),
    ("SMN.0018", 500, AmbiguousError),
    ("SMN.0089", 500, AmbiguousError),
    ("SMN.0065", 403, InvalidError),
    ("SMN.0057", 403, InvalidError),
]


@pytest.mark.parametrize(("code", "status", "kind"), DDS_ROWS, ids=[f"{row[0]}-{row[1]}" for row in DDS_ROWS])
def test_what_a_create_makes_of_each_error(
    cloud: LocalCloud, adapters: Adapters, code: str, status: int, kind: type[CloudError]
) -> None:
    """403 is told apart by its code, and a 5xx leaves the outcome open."""
    cloud.set_faults([{"method": "POST", "answer": {"status": status, "body": {"error_code": code, "error_msg": "x"}}}])

    with pytest.raises(CloudError) as caught:
        adapters.dds.create(adapters.instance, "name", "")

    assert type(caught.value) is kind
    assert (caught.value.cloud_code, caught.value.status) == (code, status)
    assert code in str(caught.value)


@pytest.mark.parametrize(("code", "status", "kind"), DDS_ROWS, ids=[f"{row[0]}-{row[1]}" for row in DDS_ROWS])
def test_what_a_list_makes_of_each_error(
    cloud: LocalCloud, adapters: Adapters, code: str, status: int, kind: type[CloudError]
) -> None:
    """The same, but a call that only reads has no outcome to be unsure of."""
    cloud.set_faults([{"method": "GET", "answer": {"status": status, "body": {"error_code": code, "error_msg": "x"}}}])

    with pytest.raises(CloudError) as caught:
        adapters.dds.list()

    assert type(caught.value) is (TransientError if kind is AmbiguousError else kind)


@pytest.mark.parametrize(("code", "status", "kind"), SMN_ROWS, ids=[row[0] for row in SMN_ROWS])
def test_what_a_publish_makes_of_each_error(
    cloud: LocalCloud, adapters: Adapters, code: str, status: int, kind: type[CloudError]
) -> None:
    """SMN's error bodies have other names for the same things."""
    body = {"request_id": "r-1", "code": code, "message": "x"}
    cloud.set_faults([{"path": "/publish$", "answer": {"status": status, "body": body}}])

    with pytest.raises(CloudError) as caught:
        adapters.topic.publish(NOTE)

    assert type(caught.value) is kind
    assert caught.value.cloud_code == code


def test_every_row_of_the_table_is_tried_above() -> None:
    """A code that is added to the table needs its documented status here."""
    assert set(ERROR_TABLE) == {row[0] for row in (*DDS_ROWS, *SMN_ROWS) if row[0] != "NOT.DOCUMENTED"}


def test_the_status_judges_a_code_that_the_table_lacks() -> None:
    """There are more codes than are documented."""
    assert classify(403, "DBS.999999", writes=True) is DeniedError
    assert classify(503, "DBS.999999", writes=False) is TransientError


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_without_a_readable_code_is_tried_again(status: int) -> None:
    """It may have been a busy instance's, garbled on its way; some proxies answer in HTML."""
    assert classify(status, None, writes=True) is TransientError


def test_without_a_code_other_answers_are_judged_by_their_status() -> None:
    """As far as it tells enough."""
    assert classify(503, None, writes=True) is AmbiguousError
    assert classify(503, None, writes=False) is TransientError
    assert classify(429, None, writes=True) is ThrottledError


def test_a_busy_answer_that_was_garbled_is_no_refusal(cloud: LocalCloud, adapters: Adapters) -> None:
    """The table of codes cannot be asked, so the next answer is waited for."""
    cloud.set_faults([{"path": "/backups$", "garble": True, "answer": {"status": 403, "code": "DBS.200019"}}])

    with pytest.raises(TransientError):
        adapters.dds.create(adapters.instance, "some-name", "")
