"""The log: JSON lines with the facts of the invocation and without secrets."""

import json
import logging
from typing import Any

import pytest

from shared.runtime.logs import SDK_LOGGERS, set_level, start_logging


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert not err
    return [json.loads(line) for line in out.splitlines()]


def test_a_line_holds_the_message_the_facts_and_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """A line is one JSON object."""
    start_logging().bind({"request_id": "r-1"})

    logging.getLogger("shared.anything").warning("hello %s", "there", extra={"fields": {"instance_id": "i"}})

    (line,) = lines(capsys)
    assert line["message"] == "hello there"
    assert (line["level"], line["request_id"], line["instance_id"]) == ("WARNING", "r-1", "i")
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("name", SDK_LOGGERS)
def test_errors_of_the_sdk_are_logged_as_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a handler they would go to standard error as text."""
    start_logging()

    logging.getLogger(name).error("ConnectionException occurred.")

    (line,) = lines(capsys)
    assert line["logger"] == name


@pytest.mark.parametrize(("level", "shown"), [("DEBUG", True), ("INFO", False), ("ERROR", False)])
def test_the_sdk_logs_each_call_at_level_debug(level: str, capsys: pytest.CaptureFixture[str], *, shown: bool) -> None:
    """The line has the URL of the call."""
    start_logging()
    set_level(level)

    logging.getLogger(SDK_LOGGERS[0]).info("GET https://...")

    assert bool(lines(capsys)) is shown


def test_secrets_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """They are masked in tracebacks and in lines of the SDK as well."""
    log = start_logging()
    log.bind({})
    log.redact_with(lambda text: text.replace("s3cret", "***"))

    try:
        int("s3cret")
    except ValueError:
        logging.getLogger("shared.x").exception("failed with s3cret")
    logging.getLogger(SDK_LOGGERS[0]).error("s3cret")

    first, second = lines(capsys)
    assert "invalid literal for int() with base 10: '***'" in first["exception"]
    assert (first["message"], second["message"]) == ("failed with ***", "***")


def test_the_next_invocation_replaces_the_facts(capsys: pytest.CaptureFixture[str]) -> None:
    """A line has the request id of its own invocation."""
    log = start_logging()
    log.bind({"request_id": "r-1"})
    log.bind({"request_id": "r-2"})

    logging.getLogger("shared.x").info("x")

    assert lines(capsys)[0]["request_id"] == "r-2"
