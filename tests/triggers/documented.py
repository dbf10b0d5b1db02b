"""Events in the shapes of FunctionGraph's documents and console templates, with a payload of choice."""

import base64
import json
from collections.abc import Callable
from typing import Any


PAYLOAD: dict[str, object] = {"instance_ids": ["a89dab5e39394eccbdb77b19d57b0180in02"]}
TEXT = json.dumps(PAYLOAD)


def timer(user_event: object = TEXT, **changes: object) -> dict[str, Any]:
    """The console's template of a timer event."""
    return {
        "version": "v2.0",
        "time": "2023-06-01T08:30:00+08:00",
        "trigger_type": "TIMER",
        "trigger_name": "Timer_001",
        "user_event": user_event,
        **changes,
    }


TOPIC = "urn:smn:cn-north-xx:0162c0f220284698b77a3d264376343a:test3"


def smn_record(
    message: object = TEXT, message_id: str = "a51671f77d4a479cacb09e2cd591a983", topic_urn: str = TOPIC
) -> dict[str, Any]:
    """One record of an SMN event."""
    return {
        "event_version": "1.0",
        "smn": {
            "topic_urn": topic_urn,
            "timestamp": "2018-01-09T07:11:40Z",
            "message_attributes": None,
            "message": message,
            "type": "notification",
            "message_id": message_id,
            "subject": "this is smn message subject",
        },
        "event_subscription_urn": "urn:fss:cn-north-xx:0162c0f220284698b77a3d264376343a:function:default:f:latest",
        "event_source": "smn",
    }


def smn(*records: object) -> dict[str, Any]:
    """The console's template of an SMN event."""
    return {
        "record": list(records) or [smn_record()],
        "functionname": "test",
        "requestId": "7c307f6a-cf68-4e65-8be0-4c77405a1b2c",
        "timestamp": "Tue Jan 09 2018 15:11:40 GMT+0800 (CST)",
    }


def kafka(*messages: object) -> dict[str, Any]:
    """DMS for Kafka, and open-source Kafka."""
    return {
        "event_version": "v1.0",
        "event_time": 1576737962,
        "trigger_type": "KAFKA",
        "region": "cn-north-xx",
        "instance_id": "81335d56-b9fe-4679-ba95-7030949cc76b",
        "records": [{"messages": list(messages or [TEXT]), "topic_id": "topic-test"}],
    }


def old_kafka(*messages: object) -> dict[str, Any]:
    """The older shape: each record names its instance."""
    event = kafka(*messages)
    event["records"][0]["instance_id"] = event.pop("instance_id")
    return event


def rabbitmq(*messages: object) -> dict[str, Any]:
    """DMS for RabbitMQ."""
    return {
        "event_version": "v1.0",
        "event_time": 1576737962,
        "trigger_type": "RABBITMQ",
        "region": "xx-xxxx-x",
        "records": [
            {
                "messages": list(messages or [TEXT]),
                "instance_id": "81335d56-b9fe-4679-ba95-7030949cc76b",
                "exchange": "exchange-test",
            }
        ],
    }


def rabbitmq_with_topic(*messages: object) -> dict[str, Any]:
    """DMS for RabbitMQ, the other documented shape: the instance at the top, and a topic instead of the exchange."""
    event = rabbitmq(*messages)
    event["instance_id"] = event["records"][0].pop("instance_id")
    event["records"][0]["topic_id"] = event["records"][0].pop("exchange")
    return event


def rocketmq(*messages: object) -> dict[str, Any]:
    """DMS for RocketMQ."""
    return {
        "event_version": "v1.0",
        "event_time": 1714040037,
        "trigger_type": "ROCKETMQ",
        "region": "region",
        "instance_id": "4140112c-85fc-40b8-bf7f-1ced2691a0a6",
        "records": [{"messages": list(messages or [TEXT]), "topic_id": "topic"}],
    }


def eventgrid(data: object = PAYLOAD, **changes: object) -> dict[str, Any]:
    """A CloudEvent as EventGrid delivers it."""
    return {
        "datacontenttype": "application/json",
        "data": data,
        "subject": "RABBITMQ:region:domainId/projectId:RABBITMQ:eventSourceName",
        "specversion": "1.0",
        "id": "016d5bd3-6231-4e9e-86ef-e451a070d598",
        "source": "eventSourceName",
        "time": "2023-04-07T11:51:10Z",
        "type": "RABBITMQ:CloudTrace:RabbitmqCall",
        **changes,
    }


def apig(body: str = TEXT, headers: dict[str, object] | None = None, **changes: object) -> dict[str, Any]:
    """A request through an API gateway, with its body in base64."""
    return {
        "requestContext": {
            "requestId": "a31d3d70415214292fa8b2cade9b4538",
            "apiId": "caf65eeb83a44b98a6264626007a73d4",
            "stage": "RELEASE",
        },
        "headers": {"x-real-ip": "62.156.151.12", "host": "example.com", **(headers or {})},
        "httpMethod": "POST",
        "pathParameters": {"": "helloWorld/Test"},
        "queryStringParameters": {"name": "2"},
        "body": base64.b64encode(body.encode()).decode(),
        "isBase64Encoded": True,
        "path": "/backups",
        **changes,
    }


FOREIGN: dict[str, dict[str, Any]] = {
    "CTS": {"cts": {"time": "2018/06/26 08:54:07 GMT+08:00", "trace_name": "deleteGraph"}},
    "LTS": {"lts": {"data": "eyJsb2dzIjoiW10ifQ=="}},
    "OBS": {
        "Records": [{"eventVersion": "2.0", "s3": {"object": {"key": "job.png"}}, "eventName": "ObjectCreated:Post"}]
    },
    "DIS": {"ShardID": "shardId-0000000000", "Message": {"records": []}, "Tag": "latest", "StreamName": "dis-swtest"},
    "DDS": {"records": [{"event_source": "dds", "event_name": "insert", "dds": {"size_bytes": "100"}}]},
    "GaussDB(for Mongo)": {"records": [{"event_source": "gauss_mongo"}], "vernier": ""},
    "IoT": {"services": [{"properties": {}}], "device_id": "", "product_id": ""},
    "an asynchronous invocation's destination": {
        "timestamp": "2020-08-20T12:00:00.000Z+08:00",
        "request_context": {"approximate_invoke_count": 0},
        "request_payload": "",
        "response_context": {"status_code": 200},
    },
}


WRAPPINGS: dict[str, Callable[[dict[str, Any]], object]] = {
    "SMN": lambda note: smn(smn_record(json.dumps(note))),
    "EventGrid": lambda note: note,
    "Kafka": lambda note: kafka(json.dumps(note)),
    "RabbitMQ": lambda note: rabbitmq(json.dumps(note)),
    "a queue that quotes it": lambda note: kafka(json.dumps(json.dumps(note))),
    "SMN's HTTPS message through a gateway": lambda note: apig(
        json.dumps({"type": "Notification", "message": json.dumps(note), "message_id": "m"})
    ),
    "EventGrid data, one level deeper": lambda note: eventgrid({"message": json.dumps(note)}),
    "the message of an EventGrid queue source": lambda note: eventgrid({"context": {"message": json.dumps(note)}}),
    "a timer": lambda note: timer(json.dumps(note)),
}
"""Every wrapping in which a notification of ours can come back, by the name of the way."""
