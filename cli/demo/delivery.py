"""One event handed to the function, and what came of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.cloud import Cloud
from cli.json_value import Json, JsonObject
from localcloud.functiongraph.runtime.instance import Instance
from localcloud.functiongraph.runtime.model import Invocation


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event, the invocation that it led to, and the messages which that published."""

    trigger: str
    event: JsonObject
    invocation: Invocation
    messages: tuple[JsonObject, ...]

    @property
    def document(self) -> dict[str, Any]:
        """What the function says about the event; through the API gateway that is the body of its response."""
        result: Any = self.invocation.result
        if isinstance(result, dict) and "statusCode" in result:
            result = json.loads(result["body"])
        return result if isinstance(result, dict) else {}

    @property
    def results(self) -> list[dict[str, Any]]:
        """What became of each instance that the event names."""
        results: list[dict[str, Any]] = self.document.get("results", [])
        return results

    def as_json(self) -> JsonObject:
        error = self.invocation.error
        return {
            "trigger": self.trigger,
            "event": self.event,
            "ok": self.invocation.ok,
            "result": self.invocation.result,
            "error": error.as_json() if error else None,
            "report": self.invocation.report.as_json(),
            "messages": list[Json](self.messages),
        }


def deliver(cloud: Cloud, instance: Instance, trigger: str, event: JsonObject) -> Delivery:
    """Invoke the function on *event*, with temporary credentials that are this invocation's alone."""
    credentials = cloud.temporary_credentials()
    invocation = instance.invoke(json.dumps(event), credentials)
    return Delivery(trigger, event, invocation, tuple(cloud.messages(credentials.access_key)))


SUMMARIES: dict[str, Callable[[Any], str]] = {
    "timer": lambda event: f"{event['trigger_name']} at {event['time']}",
    "smn": lambda event: f"{len(event['record'])} messages, the first: {event['record'][0]['smn']['subject']}",
    "kafka": lambda event: f"topic {event['records'][0]['topic_id']} of DMS for Kafka",
    "opensource-kafka": lambda event: f"topic {event['records'][0]['topic_id']} of Apache Kafka",
    "rabbitmq": lambda event: f"exchange {event['records'][0]['exchange']}",
    "rocketmq": lambda event: f"topic {event['records'][0]['topic_id']}",
    "eventgrid": lambda event: f"{event['type']} from {event['source']}",
    "apig": lambda event: f"{event['httpMethod']} {event['path']}",
    "direct": lambda event: f"a call that names {len(event['instance_ids'])} instance",
    "api-page": lambda event: f"the body of the DDS API, backup {event['backup']['name']}",
}
"""The sample event of each trigger in a few words."""
