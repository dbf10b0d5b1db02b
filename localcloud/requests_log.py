"""The log of calls to the services, for `/_local/requests`."""

from dataclasses import dataclass
from typing import Any

from localcloud.store import Store


KEPT = 10_000


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A call. `id` is the X-Request-Id of the response. `status` is None if the connection was cut instead.

    `fault` is the index of the fault rule that acted, from 0. The bodies of calls to IAM and FunctionGraph are not
    logged, because they can contain passwords.
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
    """The latest calls, oldest first."""

    def __init__(self, store: Store) -> None:
        self.records = store.table("request", RequestRecord)

    def add(self, record: RequestRecord) -> None:
        """Add a call, and remove the oldest one if there are too many."""
        self.records.put(record)
        if len(self.records) > KEPT:
            self.records.remove(next(iter(self.records)).id)
