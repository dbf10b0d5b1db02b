"""The life of a function: its settings, its credentials, its log, and its secrets. The example is create_backup."""

import json

import pytest

from shared.bootstrap import create_backup, prune_backups
from shared.errors import CredentialsError, SettingsError
from tests.create.platform import NOTIFY, Platform
from tests.fakes import A, FakeContext, Steady, fake_connect


@pytest.fixture
def platform() -> Platform:
    return Platform()


def test_the_initializer_raises_invalid_settings() -> None:
    """SettingsError names the setting."""
    platform = Platform(ON_BUSY="panic")

    with pytest.raises(SettingsError, match="ON_BUSY"):
        platform.function.start(platform.context)


def test_the_first_event_raises_invalid_settings_without_an_initializer() -> None:
    """SettingsError names the setting."""
    platform = Platform(ON_BUSY="panic")

    with pytest.raises(SettingsError, match="ON_BUSY"):
        platform.deliver({"instance_ids": [A]})


def test_the_next_event_reads_corrected_settings() -> None:
    """A failed start is repeated."""
    platform = Platform(ON_BUSY="panic")
    with pytest.raises(SettingsError):
        platform.deliver({"instance_ids": [A]})
    platform.context.user_data["ON_BUSY"] = "wait"

    assert platform.deliver({"instance_ids": [A]})["status"] == "SUCCEEDED"


def test_a_function_reads_its_settings_once(platform: Platform) -> None:
    """After the initializer, an event does not read them again."""
    platform.function.start(platform.context)
    platform.context.user_data.clear()

    assert platform.deliver({"instance_ids": [A]})["status"] == "SUCCEEDED"


def test_an_invocation_with_invalid_settings_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Its line has the code of the error."""
    platform = Platform(ON_BUSY="panic")

    with pytest.raises(SettingsError):
        platform.deliver({"instance_ids": [A]})

    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["status"], line["code"]) == ("FAILED", "invalid_settings")


def test_a_variable_that_looks_like_a_setting_is_warned_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The warning is in the log of the cold start, not of each invocation."""
    platform = Platform()
    function = create_backup(
        connect=fake_connect(platform.cloud),
        clock=platform.clock,
        rng=Steady(),
        environment={"ALLOW_INSTANCES": "a*", "TZ": "UTC"},
    )

    for _ in range(2):
        assert function.handle({"instance_ids": [A]}, platform.context)["status"] == "SUCCEEDED"

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (warned,) = [line["error"] for line in lines if line["message"] == "odd setting"]
    assert warned.startswith("ALLOW_INSTANCES: is not a setting")
    assert warned.endswith("did you mean ALLOWED_INSTANCES?")


def test_a_misspelt_setting_stops_the_function() -> None:
    """Rules that nobody chose must not decide what is deleted."""
    function = prune_backups(environment={"NOTIFY_TOPIC_URN": NOTIFY, "RETENTON": "daily=60", "DRY_RUN": "false"})

    with pytest.raises(SettingsError, match=r"RETENTON: .* did you mean RETENTION\?"):
        function.start(FakeContext())


def test_a_function_without_an_agency_raises() -> None:
    """The real connection reads the credentials for each event."""
    context = FakeContext({"NOTIFY_TOPIC_URN": NOTIFY}, access_key=None)

    with pytest.raises(CredentialsError):
        create_backup(environment={}).handle({"instance_ids": [A]}, context)


def test_nothing_secret_is_logged_returned_or_published(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    """An error that repeats the secret key is no exception."""

    def crash() -> None:
        raise ZeroDivisionError("signed with SK-OF-THE-AGENCY")

    platform.dds.create_faults = [crash]

    report = platform.deliver({"instance_ids": [A]})

    output = capsys.readouterr().out + json.dumps(report) + platform.topic.sent[0].body + platform.topic.sent[0].email
    assert "internal_error" in output
    assert "OF-THE-AGENCY" not in output
