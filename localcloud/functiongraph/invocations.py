"""Running a function on an event, and what is remembered of it."""

import json
from collections.abc import Callable

from pydantic_core import to_json

from localcloud.clock import text
from localcloud.errors import CloudError
from localcloud.functiongraph.facts import Function, Invocation
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.instances import Instances
from localcloud.functiongraph.runtime.invocation import Credentials, Json
from localcloud.functiongraph.urns import LATEST
from localcloud.store import Store


KEPT = 1000
# Credentials of an agency last a day (FunctionGraph, context).
CREDENTIALS_LAST = 86_400.0
NO_CREDENTIALS = Credentials("", "", "", "")
Assume = Callable[[str, float], Credentials]


class Invocations:
    """The last thousand invocations, the oldest first.

    `assume` gives the credentials of an agency, by its name, for so many seconds, and raises CloudError if there is no
    such agency: then the function has none, as on the platform.
    """

    def __init__(self, functions: Functions, instances: Instances, assume: Assume, store: Store) -> None:
        self.records = store.table("invocation", Invocation)
        self._functions = functions
        self._instances = instances
        self._assume = assume
        self._store = store

    async def run(self, function: Function, event: str, source: str, request_id: str, attempt: int = 1) -> Invocation:
        """Run a function on an event, a JSON text. Raises FSS.0429 when it is at work too often already."""
        credentials = self._credentials(function)
        # The function calls this cloud while it runs, with these credentials.
        self._store.commit()
        started = text(self._functions.region.clock.now())
        ran = await self._instances.run(function, event, credentials, request_id)
        invocation = Invocation(
            id=f"{request_id}/{attempt}",
            request_id=request_id,
            attempt=attempt,
            function_urn=f"{function.id}:{LATEST}",
            source=source,
            event=_storable(json.loads(event)),
            started=started,
            finished=text(self._functions.region.clock.now()),
            ok=ran.invocation.ok,
            result=_storable(ran.invocation.result),
            error=ran.invocation.error.as_json() if ran.invocation.error else None,
            report=ran.invocation.report.as_json(),
            log=list(ran.log),
            access_key=credentials.access_key,
        )
        self.keep(invocation, function)
        return invocation

    def keep(self, invocation: Invocation, function: Function) -> None:
        """Remember an invocation, unless its function is gone, and forget the oldest when there are too many."""
        present = self._functions.functions.get(function.id)
        if present is None or present.func_id != function.func_id:
            return
        self.records.put(invocation)
        if len(self.records) > KEPT:
            self.records.remove(next(iter(self.records)).id)

    def _credentials(self, function: Function) -> Credentials:
        if function.agency is None:
            return NO_CREDENTIALS
        try:
            return self._assume(function.agency, CREDENTIALS_LAST)
        except CloudError:
            return NO_CREDENTIALS


def _storable(value: Json) -> Json:
    """A value as it is remembered: as its JSON text where it is too deep to be stored, or has half a surrogate pair."""
    try:
        to_json(value)
    except (ValueError, RecursionError):
        return json.dumps(value)
    return value
