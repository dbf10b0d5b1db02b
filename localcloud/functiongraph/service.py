"""FunctionGraph put together, and the work that it does on its own."""

import asyncio
import json
from collections.abc import Callable

from localcloud.functiongraph.async_invocations import AsyncInvocations
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.instances import Instances
from localcloud.functiongraph.invocations import Assume, Invocations
from localcloud.functiongraph.jump import Jump, TimerRuns
from localcloud.functiongraph.state import LATEST, FunctionGraphState
from localcloud.functiongraph.timers import Timers
from localcloud.functiongraph.triggers import SMN_PROTOCOLS, Triggers
from localcloud.region import Region
from localcloud.smn.state import Message, SmnState
from localcloud.store import Store


class FunctionGraph:
    """The functions of the project, their triggers and their invocations. Used by the server's thread only.

    `assume` issues credentials of an agency: see Invocations.
    """

    def __init__(self, region: Region, store: Store, smn: SmnState, assume: Assume) -> None:
        self.state = FunctionGraphState(region, store)
        self.instances = Instances(self.state)
        self.triggers = Triggers(self.state, smn)
        self.functions = Functions(self.state, self.triggers, self.instances)
        self.invocations = Invocations(self.state, self.instances, assume)
        self.async_invocations = AsyncInvocations(self.state, self.instances, self.invocations, smn)
        self.timers = Timers(self.state, self.async_invocations)
        self._jump: Jump | None = None
        self._jumping = asyncio.Lock()
        smn.on_message = self._deliver

    async def run(self, endpoint: str) -> None:
        """Do due work once a second, forever. `endpoint` is the URL at which functions reach this cloud."""
        self.instances.endpoint = endpoint
        self.timers.restart()
        while True:
            self.do_due_work()
            await asyncio.sleep(1)

    def do_due_work(self) -> None:
        """Fire timers, deliver events, and end idle instances."""
        if self._jump is not None:
            return  # the jump does it
        self.timers.fire_due()
        self.async_invocations.deliver()
        self.instances.end_idle()
        self.state.store.commit()

    async def advance(self, seconds: float, moved: Callable[[], None]) -> list[TimerRuns]:
        """Move the clock forward and run what becomes due, in order: see Jump. A second jump waits for the first.

        `moved` is called after each step.
        """
        async with self._jumping:
            self._jump = Jump(self.state.region.clock, self.timers, self.async_invocations, seconds, moved)
            try:
                return await self._jump.run()
            finally:
                self._jump = None
                self.do_due_work()

    def clear(self) -> None:
        """Remove everything, and kill running functions."""
        if self._jump is not None:
            self._jump.cancel()
        self.instances.clear()
        self.state.clear()
        self.timers.restart()

    def close(self) -> None:
        """End every process. Accepted events that are not delivered yet stay in the state file for the next server."""
        self.instances.close()

    def _deliver(self, message: Message) -> None:
        """Invoke the functions that have an active trigger for the topic of a message."""
        for delivery in message.deliveries:
            function = self.state.functions.get(delivery.endpoint.removesuffix(f":{LATEST}"))
            if delivery.protocol not in SMN_PROTOCOLS or function is None:
                continue
            if any(
                (trigger.type, trigger.status, trigger.event_data.get("topic_urn"))
                == ("SMN", "ACTIVE", message.topic_urn)
                for trigger in self.state.triggers_of(function)
            ):
                self.async_invocations.accept(function, json.dumps(delivery.content), "SMN")
