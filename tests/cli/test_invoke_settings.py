"""``ddsbackup invoke``: settings, cloud and credentials of the function."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud import LocalCloud


Run = Callable[..., Any]
Application = Callable[..., Path]

ECHO = """
def handler(event, context):
    print("working on it")
    return event
"""


PUBLISH = """
import json, os, urllib.request
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdksmn.v2 import SmnClient, PublishMessageRequest, PublishMessageRequestBody

def handler(event, context):
    credentials = BasicCredentials(
        context.getSecurityAccessKey(), context.getSecuritySecretKey(), context.getProjectID()
    ).with_security_token(context.getSecurityToken())
    client = (
        SmnClient.new_builder().with_credentials(credentials).with_endpoint(context.getUserData("SMN_ENDPOINT")).build()
    )
    body = PublishMessageRequestBody(message=event["text"])
    client.publish_message(PublishMessageRequest(topic_urn=context.getUserData("NOTIFY_TOPIC_URN"), body=body))
    return context.getSecurityAccessKey()
"""
TOPIC = {
    "properties": "Environment: {Variables: {NOTIFY_TOPIC_URN: '${Topic}'}}",
    "parameters": "Topic: {Type: String}",
}


def test_messages_are_those_of_this_invocation(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """Each invocation has its own credentials, works with the official SDK, and lists its own messages."""
    template = application(PUBLISH, **TOPIC)
    arguments = ("invoke", "sample", "-e", "-", "--json", "--timeout", "20", "--template", template)
    first, second = (
        ddsbackup(*arguments, "--cloud", cloud.url, stdin=json.dumps({"text": text})).json for text in ("one", "two")
    )
    assert [message["message"] for message in second["messages"]] == ["two"]
    assert first["result"] != second["result"]
    assert [message["message"] for message in cloud.messages()] == ["one", "two"]


def test_embedded_cloud(ddsbackup: Run, application: Application) -> None:
    """Without --cloud the function gets the topic and endpoints of a local cloud in this process."""
    source = """
        def handler(event, context):
            return [context.getUserData(key) for key in ("NOTIFY_TOPIC_URN", "DDS_ENDPOINT", "SMN_ENDPOINT")]
        """
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", application(source, **TOPIC))
    topic, dds, smn = ran.json
    assert topic.startswith("urn:smn:cn-north-4:")
    assert dds == smn
    assert dds.startswith("http://127.0.0.1:")


def test_env_file_wins(ddsbackup: Run, application: Application, cloud: LocalCloud, tmp_path: Path) -> None:
    """--env-file overrides the variables of the template and of the cloud."""
    source = """
        import os

        def handler(event, context):
            return [os.environ["NOTIFY_TOPIC_URN"], context.getUserData("DDS_ENDPOINT"), os.environ["MORE"]]
        """
    file = tmp_path / "settings.env"
    file.write_text("NOTIFY_TOPIC_URN=urn:mine\nDDS_ENDPOINT=http://mine\nMORE='a b'\n")
    template = application(source, **TOPIC)
    ran = ddsbackup(
        "invoke", "sample", "-t", "direct", "--env-file", file, "--template", template, "--cloud", cloud.url
    )
    assert ran.json == ["urn:mine", "http://mine", "a b"]


def test_setting_without_a_value(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """A variable that refers to a parameter without a default needs a value in --env-file."""
    template = application(ECHO, "Environment: {Variables: {BUCKET: '${Bucket}'}}", "Bucket: {Type: String}")
    arguments = ("invoke", "sample", "-t", "direct", "--template", template, "--cloud", cloud.url)
    ran = ddsbackup(*arguments)
    assert ran.status == 2
    assert "BUCKET of sample needs the parameter Bucket, which has no Default" in ran.err
    Path("settings.env").write_text("BUCKET=mine\n")
    assert ddsbackup(*arguments, "--env-file", "settings.env").status == 0


def test_secrets_are_never_printed(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """No output has the credentials of the cloud or of the invocation."""
    source = """
        def handler(event, context):
            secrets = [context.getSecuritySecretKey(), context.getSecurityToken(), context.getToken()]
            assert all(secrets)
            raise ValueError("failed")
        """
    template = application(source)
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--json", "--template", template, "--cloud", cloud.url)
    connection = cloud.connection()
    assert ran.json["error"]["errorType"] == "ValueError"
    assert not any(connection[key] in ran.out + ran.err for key in ("secret_key", "security_token", "token"))
