"""FunctionGraph put together: what it knows, and what goes on in it."""

import asyncio
import json

from localcloud.functiongraph.destinations import Destinations
from localcloud.functiongraph.events import Events
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.instances import Instances
from localcloud.functiongraph.invocations import Assume, Invocations
from localcloud.functiongraph.timers import Timers
from localcloud.functiongraph.triggers import PROTOCOLS, Triggers
from localcloud.functiongraph.urns import LATEST
from localcloud.region import Region
from localcloud.smn.state import Message, SmnState
from localcloud.store import Store


class FunctionGraphState:
    """The functions of the project, their triggers, and their invocations. Used by the thread that serves.

    `assume` gives the credentials of an agency: see Invocations.
    """

    def __init__(self, region: Region, store: Store, smn: SmnState, assume: Assume) -> None:
        self.functions = Functions(region, store)
        self.triggers = Triggers(self.functions, smn)
        self.instances = Instances(self.functions)
        self.invocations = Invocations(self.functions, self.instances, assume, store)
        self.events = Events(self.functions, self.instances, self.invocations, store)
        self.timers = Timers(self.functions, self.events)
        self._store = store
        self.functions.on_change = self.instances.retire
        self.events.tell = Destinations(self.functions, smn, self.events).tell
        smn.on_message = self._deliver

    async def go_on(self, endpoint: str) -> None:
        """Do for ever what is due. `endpoint` is where functions reach this cloud."""
        self.instances.endpoint = endpoint
        self.timers.restart()
        while True:
            self.tick()
            await asyncio.sleep(1)

    def tick(self) -> None:
        """Do what is due: fire timers, deliver events, end idle instances."""
        self.timers.fire()
        self.events.deliver()
        self.instances.end_idle()
        self._store.commit()

    def clear(self) -> None:
        """Forget everything, and end what is at work."""
        self.instances.clear()
        self.events.clear()
        functions = self.functions
        for table in (functions.functions, functions.packages, functions.triggers, functions.async_configs):
            table.clear()
        self.invocations.records.clear()
        self.timers.restart()

    def close(self) -> None:
        """Leave no process behind. What was accepted and is not delivered yet, the next server delivers."""
        self.instances.close()

    def _deliver(self, message: Message) -> None:
        """Hand a message to the functions that have an active trigger for its topic."""
        for delivery in message.deliveries:
            function = self.functions.functions.get(delivery.endpoint.removesuffix(f":{LATEST}"))
            if delivery.protocol not in PROTOCOLS or function is None:
                continue
            triggers = self.functions.triggers_of(function)
            if any(
                (trigger.type, trigger.status, trigger.event_data.get("topic_urn"))
                == ("SMN", "ACTIVE", message.topic_urn)
                for trigger in triggers
            ):
                self.events.accept(function, json.dumps(delivery.content), "SMN")
