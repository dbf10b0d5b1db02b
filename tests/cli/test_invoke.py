"""``ddsbackup invoke``: what it prints, and its exit status."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud import LocalCloud


Run = Callable[..., Any]
Application = Callable[..., Path]

ECHO = """
def handler(event, context):
    print("working on it")
    return event
"""


def test_human_output(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """The result goes to standard output; START, log, END and REPORT to standard error, in this order."""
    template = application(ECHO)
    ran = ddsbackup("invoke", "sample", "-t", "api-page", "--template", template, "--cloud", cloud.url)
    assert (ran.status, ran.json["backup"]["name"]) == (0, "mybackup1")
    start, log, end, report = ran.err.splitlines()
    request_id = start.removeprefix("START RequestId: ")
    assert log == "working on it"
    assert end == f"END RequestId: {request_id}"
    assert report.startswith(f"REPORT RequestId: {request_id}  Duration: ")
    for part in ("Billed Duration: ", "Memory Size: 128 MB", "Max Memory Used: ", "Init Duration: ", "(cold start)"):
        assert part in report


@pytest.mark.parametrize(("returned", "printed"), [("None", ""), ("'plain text'", "plain text\n"), ("5", "5\n")])
def test_result_as_it_is(
    ddsbackup: Run, application: Application, cloud: LocalCloud, returned: str, printed: str
) -> None:
    """Nothing is printed for an empty body, and text without quotes."""
    template = application(f"def handler(event, context):\n    return {returned}\n")
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", template, "--cloud", cloud.url)
    assert ran.out == printed


def test_json_output(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """With --json standard output is one document; the log stays on standard error."""
    template = application(ECHO)
    ran = ddsbackup(
        "invoke", "Sample", "-e", "-", "--json", "--template", template, "--cloud", cloud.url, stdin='{"ä": 1}'
    )
    assert (ran.status, ran.out.count("\n")) == (0, 1)
    assert {key: ran.json[key] for key in ("ok", "result", "error", "messages")} == {
        "ok": True,
        "result": {"ä": 1},
        "error": None,
        "messages": [],
    }
    assert list(ran.json["report"]) == [
        "request_id",
        "duration_ms",
        "billed_duration_ms",
        "init_duration_ms",
        "memory_size_mb",
        "max_memory_used_mb",
        "cold_start",
    ]
    assert "working on it" in ran.err


def test_failure(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """A function that raises makes the exit status 1, with its own frames."""
    template = application("def handler(event, context):\n    raise ValueError('no such thing')\n")
    arguments = ("invoke", "sample", "-t", "direct", "--template", template, "--cloud", cloud.url)
    as_json, for_people = ddsbackup(*arguments, "--json"), ddsbackup(*arguments)
    assert (as_json.status, for_people.status) == (1, 1)
    assert (as_json.json["ok"], as_json.json["result"]) == (False, None)
    error = as_json.json["error"]
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such thing")
    assert "index.py" in error["stackTrace"][0]
    assert for_people.out == ""
    assert "ValueError: no such thing" in for_people.err
    assert 'index.py", line 2, in handler' in for_people.err


def test_more_memory_than_there_is(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """A function that used more than its memory is warned of, since the platform would have ended it."""
    source = "def handler(event, context):\n    return len(bytearray(event['mb'] * 1024 * 1024))\n"
    arguments = ("invoke", "sample", "-e", "-", "--template", application(source), "--cloud", cloud.url)
    assert "WARNING more memory was used than the function has" in ddsbackup(*arguments, stdin='{"mb": 150}').err
    assert "WARNING" not in ddsbackup(*arguments, stdin='{"mb": 1}').err


def test_timeout(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """--timeout wins over the template's, and what the function printed before is there."""
    template = application(
        "import time\n\ndef handler(event, context):\n    print('slow')\n    time.sleep(60)\n", "Timeout: 60"
    )
    ran = ddsbackup(
        "invoke", "sample", "-t", "direct", "--timeout", "0.3", "--json", "--template", template, "--cloud", cloud.url
    )
    assert ran.status == 1
    assert ran.json["error"]["errorType"] == "FunctionTimeout"
    assert "slow" in ran.err


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
    """Each invocation has credentials of its own, works with the unmodified SDK, and lists its own messages."""
    template = application(PUBLISH, **TOPIC)
    arguments = ("invoke", "sample", "-e", "-", "--json", "--timeout", "20", "--template", template)
    first, second = (
        ddsbackup(*arguments, "--cloud", cloud.url, stdin=json.dumps({"text": text})).json for text in ("one", "two")
    )
    assert [message["message"] for message in second["messages"]] == ["two"]
    assert first["result"] != second["result"]
    assert [message["message"] for message in cloud.messages()] == ["one", "two"]


def test_embedded_cloud(ddsbackup: Run, application: Application) -> None:
    """Without --cloud there is an embedded one, whose topic and endpoints are the function's settings."""
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
    """A setting of --env-file wins over the template's and over the cloud's."""
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


def test_changed_sample(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """--set changes the sample event of -t."""
    template = application(ECHO)
    ran = ddsbackup(
        "invoke", "sample", "-t", "TIMER", "--set", "trigger_name=Weekly", "--template", template, "--cloud", cloud.url
    )
    assert ran.json["trigger_name"] == "Weekly"


def test_template_of_the_current_directory(
    ddsbackup: Run, application: Application, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """template.yaml of the current directory is used before the application's own."""
    monkeypatch.chdir(application(ECHO).parent)
    assert ddsbackup("invoke", "sample", "-t", "direct", "--cloud", cloud.url).status == 0


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["smaple", "-t", "direct"], "", "has no function 'smaple', did you mean 'sample'? Known: sample"),
        (["sample"], "", "give either an event (-e FILE, -e - for standard input) or a trigger (-t TRIGGER)"),
        (["sample", "-t", "timer", "-e", "-"], "{}", "give either an event"),
        (["sample", "-t", "time"], "", "'time' is not one of 'timer', 'smn',"),
        (
            ["sample", "-e", "-"],
            '{"a": 1,\n "b" 2}',
            "standard input is no JSON event: Expecting ':' delimiter at line 2, ",
        ),
        (["sample", "-e", "-"], "", "standard input is no JSON event: it is empty"),
        (["sample", "-e", "-"], b"\xff", "standard input is no UTF-8 text"),
        (["sample", "-e", "-"], "[" * 100_000, "nested too deeply"),
        (["sample", "-e", "-"], '"' + "x" * 6 * 1024 * 1024 + '"', "expected an event of at most 6291456 (6 MB)"),
        (["sample", "-e", "nowhere.json"], "", "cannot read the event nowhere.json: No such file or directory"),
        (["sample", "-e", "-", "--set", "name=x"], "{}", "--set changes a sample event (-t TRIGGER)"),
        (["sample", "-t", "timer", "--set", "nme=x"], "", "cannot set nme: the event has version, "),
        (["sample", "-t", "direct", "--timeout", "0"], "", "0.0 is not in the range"),
        (["sample", "-t", "direct", "--env-file", "nowhere"], "", "cannot read the settings file nowhere"),
        (["sample", "-t", "direct", "--cloud", "http://127.0.0.1:1"], "", "start one with ddsbackup serve"),
        (["sample", "-t", "direct", "--cloud", "127.0.0.1:1"], "", "no local cloud answers at http://127.0.0.1:1 ("),
        (["sample", "-t", "direct", "--cloud", "http://[::1"], "", "no local cloud answers at http://[::1"),
    ],
)
def test_wrong_call(
    ddsbackup: Run, application: Application, arguments: list[str], stdin: str | bytes, message: str
) -> None:
    """A wrong call is exit status 2 and one message; nothing is run and nothing is on standard output."""
    ran = ddsbackup("invoke", *arguments, "--template", application(ECHO), stdin=stdin)
    assert (ran.status, ran.out) == (2, "")
    assert message in ran.err
    assert "START" not in ran.err


def test_wrong_template(ddsbackup: Run, application: Application) -> None:
    """A wrong template is exit status 2 with file, line and key."""
    template = application(ECHO, "Timeout: 1")
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", template)
    assert ran.status == 2
    assert f"{template}:10: Resources.Sample.Properties.Timeout: found 1, expected" in ran.err


def test_setting_without_a_value(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """A parameter without a default, which no cloud knows, has to be given."""
    template = application(ECHO, "Environment: {Variables: {BUCKET: '${Bucket}'}}", "Bucket: {Type: String}")
    arguments = ("invoke", "sample", "-t", "direct", "--template", template, "--cloud", cloud.url)
    ran = ddsbackup(*arguments)
    assert ran.status == 2
    assert "BUCKET of sample needs the parameter Bucket, which has no Default" in ran.err
    Path("settings.env").write_text("BUCKET=mine\n")
    assert ddsbackup(*arguments, "--env-file", "settings.env").status == 0


def test_cloud_that_gives_no_credentials(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """When IAM fails the call is not made, and the error says what answered what."""
    cloud.set_faults([{"path": "securitytokens", "answer": {"status": 503}}])
    ran = ddsbackup("invoke", "sample", "-t", "direct", "--template", application(ECHO), "--cloud", cloud.url)
    assert ran.status == 2
    assert "/v3.0/OS-CREDENTIAL/securitytokens answered 503" in ran.err


def test_secrets_are_never_printed(ddsbackup: Run, application: Application, cloud: LocalCloud) -> None:
    """Neither the credentials of the cloud nor those of the invocation are in any output."""
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


def test_as_a_command(application: Application, cloud: LocalCloud) -> None:
    """The installed command works in a pipe: an event in, a result out, no colour."""
    command = Path(sys.executable).with_name("ddsbackup")
    template = application(ECHO)
    ran = subprocess.run(
        [command, "invoke", "sample", "-e", "-", "--template", template, "--cloud", cloud.url],
        input=b'{"a": "\xc3\xa4"}',
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0
    assert json.loads(ran.stdout) == {"a": "ä"}
    assert b"\x1b" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_function_is_left_running(application: Application, cloud: LocalCloud, number: signal.Signals) -> None:
    """Whoever ends the command ends the function."""
    command = Path(sys.executable).with_name("ddsbackup")
    template = application(
        "import os, time\n\ndef handler(event, context):\n    print(os.getpid())\n    time.sleep(60)\n", "Timeout: 60"
    )
    arguments = [str(command), "invoke", "sample", "-t", "direct", "--template", str(template), "--cloud", cloud.url]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("START")
        pid = int(process.stderr.readline())
        process.send_signal(number)
        _, err = process.communicate(timeout=10)
    assert process.returncode not in (0, 2)
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
