"""Creating, changing and deleting triggers (FunctionGraph API, Function Triggers)."""

import uuid
from dataclasses import replace
from typing import Any

from localcloud.errors import CloudError
from localcloud.functiongraph.errors import functiongraph_error
from localcloud.functiongraph.event_data import check_event_data
from localcloud.functiongraph.facts import Function, Trigger
from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.trigger_schemas import NewTrigger, TriggerChange
from localcloud.functiongraph.urns import LATEST
from localcloud.smn.schemas import NewSubscription
from localcloud.smn.service import subscribe
from localcloud.smn.state import Protocol, SmnState


# FunctionGraph, Notes and Constraints: what a version of a function has.
MAX_TRIGGERS = 10
# FunctionGraph API, Creating a Trigger.
DISABLED_AT_FIRST = {"KAFKA", "OPENSOURCEKAFKA", "DDS"}
ALWAYS_ACTIVE = {"OBS", "APIG", "APIC", "DEDICATEDGATEWAY"}
# What SMN calls a function that is subscribed to a topic, and has called it.
PROTOCOL: Protocol = "functionstage"
PROTOCOLS = {PROTOCOL, "functiongraph"}
_ABSENT = {"TIMER": "FSS.1140", "SMN": "FSS.1132", "KAFKA": "FSS.1174", "APIG": "FSS.1138"}
# What no two triggers of a function have in common, by type, and the error when they do.
_UNIQUE = {
    "TIMER": ("name", "FSS.1148"),
    "SMN": ("topic_urn", "FSS.1141"),
    "KAFKA": ("topic_ids", "FSS.1150"),
}


class Triggers:
    """The triggers of functions. One of SMN is a subscription of the topic as well."""

    def __init__(self, functions: Functions, smn: SmnState) -> None:
        self._functions = functions
        self._smn = smn

    def create(self, function: Function, new: NewTrigger) -> Trigger:
        """Create a trigger.

        Raises FSS.1306 beyond ten, what is wrong with the configuration, the error of its type when there is the same
        one, FSS.1114 for one of Kafka on a function in no VPC, FSS.1171 for an unknown topic, FSS.1318 for one that is
        to be disabled and cannot.
        """
        kind, data = new.trigger_type_code, check_event_data(new.trigger_type_code, new.event_data)
        existing = self._functions.triggers_of(function)
        if len(existing) >= MAX_TRIGGERS:
            raise functiongraph_error("FSS.1306")
        trigger_id = str(uuid.uuid4())
        if kind == "TIMER":
            data.setdefault("name", f"Timer-{trigger_id[:4]}")
        _check_unique(kind, data, existing)
        if kind == "KAFKA" and function.func_vpc is None:
            raise functiongraph_error("FSS.1114", "It is in no VPC.")
        status = new.trigger_status or ("DISABLED" if kind in DISABLED_AT_FIRST else "ACTIVE")
        _check_status(kind, status)
        if kind == "SMN":
            self._subscribe(function, data["topic_urn"])
        now = self._functions.region.clock.now()
        trigger = Trigger(trigger_id, function.id, kind, status, data, created=now, updated=now, since=now)
        self._functions.triggers.put(trigger)
        return trigger

    def find(self, function: Function, kind: str, trigger_id: str) -> Trigger:
        """One trigger of a function. Raises the error of its type when there is none."""
        trigger = self._functions.triggers.get(trigger_id)
        if trigger is None or (trigger.function_urn, trigger.type) != (function.id, kind):
            raise functiongraph_error(_ABSENT.get(kind, "FSS.1131"))
        return trigger

    def change(self, trigger: Trigger, given: TriggerChange) -> Trigger:
        """Turn a trigger on or off, or change its configuration. Raises FSS.1318 for one that cannot be disabled."""
        now = self._functions.region.clock.now()
        status = given.trigger_status or trigger.status
        _check_status(trigger.type, status)
        data = dict(trigger.event_data)
        for change in given.event_data or []:
            data |= change.model_dump(exclude_none=True)
        since = now if trigger.status == "DISABLED" else trigger.since
        trigger = replace(trigger, status=status, event_data=data, updated=now, since=since)
        self._functions.triggers.put(trigger)
        return trigger

    def delete(self, trigger: Trigger) -> None:
        """Delete a trigger, with its subscription if it is one of SMN."""
        self._functions.triggers.remove(trigger.id)
        self.unsubscribe(trigger)

    def unsubscribe(self, trigger: Trigger) -> None:
        """Remove the subscription of a trigger of SMN that is no more."""
        endpoint = f"{trigger.function_urn}:{LATEST}"
        for subscription in self._smn.subscriptions_of(trigger.event_data.get("topic_urn", "")):
            if trigger.type == "SMN" and (subscription.protocol, subscription.endpoint) == (PROTOCOL, endpoint):
                self._smn.subscriptions.remove(subscription.id)

    def _subscribe(self, function: Function, topic_urn: str) -> None:
        try:
            new = NewSubscription(protocol=PROTOCOL, endpoint=f"{function.id}:{LATEST}")
            subscribe(self._smn, topic_urn, new)
        except CloudError as error:
            raise functiongraph_error("FSS.1171", topic_urn) from error


def _check_unique(kind: str, data: dict[str, Any], existing: list[Trigger]) -> None:
    name, code = _UNIQUE.get(kind, ("", ""))
    if name and any(trigger.type == kind and trigger.event_data.get(name) == data.get(name) for trigger in existing):
        raise functiongraph_error(code)


def _check_status(kind: str, status: str) -> None:
    if status == "DISABLED" and kind in ALWAYS_ACTIVE:
        raise functiongraph_error("FSS.1318", f"A trigger of type {kind} cannot be disabled.")
