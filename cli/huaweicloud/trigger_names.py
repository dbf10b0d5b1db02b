"""What tells triggers apart, which have no name of their own."""

from collections.abc import Mapping

from cli.json_value import Json


IDENTIFYING: Mapping[str, tuple[str, ...]] = {
    "TIMER": ("name",),
    "SMN": ("topic_urn",),
    "KAFKA": ("instance_id", "topic_ids"),
    "OPENSOURCEKAFKA": ("kafka_connect_address", "topic_ids"),
    "RABBITMQ": ("instance_id", "vhost", "exchange_name"),
    "EVENTGRID": ("channel_id", "source_name", "trigger_name"),
    "DEDICATEDGATEWAY": ("instance_id", "req_method", "path"),
    "APIG": ("req_method", "path"),
}
"""The fields of ``event_data`` by type that say which trigger it is; the others say how it works."""


def trigger_name(function: str, kind: str, data: Mapping[str, Json], trigger_id: str = "") -> str:
    """Return a name that only this trigger of the function has. *trigger_id* stands in for a type that is not known."""
    values = [data.get(name) for name in IDENTIFYING.get(kind, ())]
    texts = [",".join(sorted(map(str, value))) if isinstance(value, list) else str(value) for value in values if value]
    return " ".join([function, kind, *texts] if texts else [function, kind, trigger_id]).rstrip()
