"""Maps the error codes of Huawei Cloud to errors of our tree.

The HTTP status alone is misleading: DDS answers 403 both for "forbidden" and for "busy". Sources: DDS API, Error Codes;
API Gateway, Error Codes; SMN API, Error Codes; for the busy codes also the retries of the official Terraform provider.
Where the documents leave open whether a code means "busy" (DBS.212003, DBS.280042), it counts as busy, since a retry in
vain costs less than a missing backup.
"""

from collections.abc import Iterator

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


_DDS: dict[type[CloudError], str] = {
    BusyError: "200019 200076 201014 201015 201000 00010009 200011 200018 200047 201202 201319 212003 280042",
    ThrottledError: "280443",
    TransientError: "200998 280005 201509",
    ExistsError: "201201",
    AbsentError: "200002 280110 201501 201502 201028 280016 201214 201204 200543",
    DeniedError: "280408 200010 280015 280056 280064 280032 280063 280019 200604",
    InvalidError: (
        "280277 280127 280404 280124 200001 200095 201006 280001 290000 212017 212019 280271 200004"
        " 280439 280440 280067 280068 280409 280416 280342 280343 280433"
    ),
}
_GATEWAY: dict[type[CloudError], str] = {
    ThrottledError: "0308",
    TransientError: "0601 0605 0606 0608 0609 0610 0613",
    DeniedError: "0301 0302 0303 0304 0305 0306 0307 0310 0401 0402",
    InvalidError: "0101 0201 0602",
}
_SMN: dict[type[CloudError], str] = {
    TransientError: "0016 0018 0089",
    AbsentError: "0006 0027 0076",
    DeniedError: "0001 0070 0071 00308 0261",
    InvalidError: "0005 0008 0009 0021 0032 0042 0038 0075 0227 0065 0057",
}


def _rows() -> Iterator[tuple[str, type[CloudError]]]:
    for prefix, table in (("DBS", _DDS), ("APIGW", _GATEWAY), ("SMN", _SMN)):
        for kind, codes in table.items():
            for code in codes.split():
                yield f"{prefix}.{code}", kind


ERROR_TABLE: dict[str, type[CloudError]] = dict(_rows())
"""Service code -> class of the error."""

_FORBIDDEN = {"DBS.280032", "DBS.280063", "DBS.280064", "SMN.0001", "SMN.00308", "APIGW.0302"}
_STATUS: dict[int, type[CloudError]] = {
    401: DeniedError,
    403: DeniedError,
    404: AbsentError,
    408: TransientError,
    409: BusyError,
    429: ThrottledError,
}


def classify(status: int, code: str | None, *, writes: bool) -> type[CloudError]:
    """Return the class of an error answer. A code that is not in the table is judged by the HTTP status.

    A 5xx answer to a call that `writes` leaves open whether it was carried out, whatever the code. A refusal without a
    readable code may mean anything, such as a busy instance, so it is worth another try.
    """
    if status >= 500:
        return AmbiguousError if writes else TransientError
    if code is None and status != 429:
        return TransientError
    if code in ERROR_TABLE:
        return ERROR_TABLE[code]
    return _STATUS.get(status, InvalidError)


def is_forbidden(status: int, code: str | None) -> bool:
    """Whether an error answer means that the caller's policies do not allow the call.

    Other causes of DeniedError, such as wrong credentials or an unpaid bill, have codes of their own.
    """
    return code in _FORBIDDEN or (status == 403 and code is not None and code not in ERROR_TABLE)
