"""The calls seen, for tests and for people."""

from dataclasses import dataclass
from typing import Any

from localcloud.store import Store


KEPT = 10_000


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One call. `id` is the X-Request-Id of its answer; `status` is None when the connection was cut instead.

    `fault` is the place of the fault rule that acted, from 0. For IAM and FunctionGraph the body is not kept: it may
    hold a password.
    """

    id: str
    time: str
    method: str
    path: str
    query: str
    status: int | None
    access_key: str | None
    fault: int | None
    body: Any = None


class RequestsLog:
    """The last calls, the oldest first."""

    def __init__(self, store: Store) -> None:
        self.records = store.table("request", RequestRecord)

    def add(self, record: RequestRecord) -> None:
        """Keep a call, and forget the oldest when there are too many."""
        self.records.put(record)
        if len(self.records) > KEPT:
            self.records.remove(next(iter(self.records)).id)
