"""The settings: where they come from, and how invalid ones are explained."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit.function import AuditBackupsSettings
from shared.create.creation import OnBusy
from shared.create.function import CreateBackupSettings
from shared.errors import SettingsError
from shared.prune.function import PruneBackupsSettings
from shared.runtime.settings import Settings, load_settings, unknown_settings
from shared.track.function import TrackBackupsSettings
from tests.fakes import FakeContext


MODELS = (AuditBackupsSettings, CreateBackupSettings, PruneBackupsSettings, TrackBackupsSettings)
URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"


def load(environment: dict[str, str] | None = None, **user_data: str) -> CreateBackupSettings:
    return load_settings(CreateBackupSettings, FakeContext({"NOTIFY_TOPIC_URN": URN, **user_data}), environment or {})


def test_one_setting_is_required() -> None:
    """The region and the endpoints follow from the URN of the topic, and the rest has defaults."""
    settings = load()

    assert settings.region == "cn-north-4"
    assert settings.endpoint("dds") == "https://dds.cn-north-4.myhuaweicloud.com"
    assert settings.endpoint("smn") == "https://smn.cn-north-4.myhuaweicloud.com"
    assert (settings.MAX_CONCURRENCY, settings.ON_BUSY) == (8, OnBusy.WAIT)


def test_user_data_takes_precedence_over_the_environment() -> None:
    """Encrypted settings are in the user data only. An empty one counts as not set."""
    settings = load({"NAME_PREFIX": "env", "ON_BUSY": "skip", "LOG_LEVEL": "error"}, NAME_PREFIX="data", ON_BUSY="")

    assert (settings.NAME_PREFIX, settings.ON_BUSY, settings.LOG_LEVEL) == ("data", OnBusy.SKIP, "ERROR")


def test_the_instances_may_be_in_another_region_than_the_topic() -> None:
    """REGION is that of DDS; the region of SMN follows from the URN."""
    settings = load(REGION="eu-west-101")

    assert settings.endpoint("dds") == "https://dds.eu-west-101.myhuaweicloud.eu"
    assert settings.endpoint("smn") == "https://smn.cn-north-4.myhuaweicloud.com"


def test_endpoints_can_be_replaced() -> None:
    """The local cloud is called this way."""
    settings = load(DDS_ENDPOINT="http://127.0.0.1:8600/", SMN_ENDPOINT="http://localhost:8600")

    assert settings.endpoint("dds") == "http://127.0.0.1:8600"
    assert settings.endpoint("smn") == "http://localhost:8600"


def test_patterns_are_separated_by_commas_or_blanks() -> None:
    """Both can be mixed."""
    assert load(ALLOWED_INSTANCES="a*, b?  c").ALLOWED_INSTANCES == ("a*", "b?", "c")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("off", False)])
def test_a_switch_is_read_in_any_usual_spelling(text: str, *, value: bool) -> None:
    """They are true, 1, yes and on, and their opposites."""
    assert load(STRICT_INSTANCE_IDS=text).STRICT_INSTANCE_IDS is value


def test_a_missing_topic_is_an_error() -> None:
    """The message says where to set it."""
    with pytest.raises(SettingsError, match=r"environment variables: NOTIFY_TOPIC_URN: required, but missing"):
        load_settings(CreateBackupSettings, FakeContext(), {})


def test_all_invalid_settings_are_explained_at_once() -> None:
    """The message names each setting and what was found."""
    wrong = {
        "NOTIFY_TOPIC_URN": "dds-backups",
        "REGION": "Beijing!",
        "DDS_ENDPOINT": "https://host/path",
        "SMN_ENDPOINT": "ftp://host",
        "ALLOWED_INSTANCES": ",",
        "STRICT_INSTANCE_IDS": "perhaps",
        "ON_BUSY": "panic",
        "MAX_CONCURRENCY": "0",
        "NAME_PREFIX": "1st",
        "SETTLING_TIME": "-1",
        "READ_TIMEOUT": "soon",
        "CONNECT_TIMEOUT": "301",
        "LOG_LEVEL": "LOUD",
        "REQUEST_TOPIC_URN": "urn:smn:x",
        "FAN_OUT_ABOVE": "0",
        "START_SPREAD": "-1",
        "MIN_INTERVAL": "0",
        "STACK": "my stack",
        "ADOPT_UNMARKED": "perhaps",
        "MAX_INSTANCES": "0",
    }
    assert set(wrong) == set(CreateBackupSettings.model_fields)

    with pytest.raises(SettingsError) as caught:
        load_settings(CreateBackupSettings, FakeContext(wrong), {})

    for name in wrong:
        assert f"{name}: " in str(caught.value)
    assert "found 'dds-backups'" in str(caught.value)


@pytest.mark.parametrize("region", ["evil.example/x#", "CN", "a b", ""])
def test_the_region_in_a_topic_urn_is_a_region(region: str) -> None:
    """It becomes part of the host name of SMN."""
    with pytest.raises(SettingsError, match="NOTIFY_TOPIC_URN: must be urn:smn:REGION:PROJECT_ID:TOPIC"):
        load(NOTIFY_TOPIC_URN=f"urn:smn:{region}:p:t")


@pytest.mark.parametrize(("port", "is_valid"), [("0", False), ("1", True), ("65535", True), ("65536", False)])
def test_a_port_is_a_port(port: str, *, is_valid: bool) -> None:
    """Ports are from 1 to 65535."""
    endpoint = f"https://dds.example.com:{port}"
    if is_valid:
        assert load(DDS_ENDPOINT=endpoint).endpoint("dds") == endpoint
    else:
        with pytest.raises(SettingsError, match=r"DDS_ENDPOINT: .* a port from 1 to 65535"):
            load(DDS_ENDPOINT=endpoint)


@pytest.mark.parametrize(
    ("endpoint", "is_valid"),
    [
        ("http://[::1]:8600", True),
        ("https://[2001:db8::1.2.3.4]", True),
        ("http://::1:8600", False),
        ("http://[::1", False),
        ("http://[::1%lo]:8600", False),
        ("http://[::1]:0", False),
        ("http://[localhost]", False),
    ],
)
def test_an_endpoint_may_have_an_ipv6_address(endpoint: str, *, is_valid: bool) -> None:
    """It is in brackets, as in every URL."""
    if is_valid:
        assert load(DDS_ENDPOINT=f"{endpoint}/").endpoint("dds") == endpoint
    else:
        with pytest.raises(SettingsError, match="DDS_ENDPOINT: must be http"):
            load(DDS_ENDPOINT=endpoint)


@pytest.mark.parametrize("endpoint", ["https://dba:hunter2@dds.example.com", "https://dba:hun/ter2@host", "hunter2@h"])
def test_a_password_in_an_endpoint_is_not_repeated(endpoint: str) -> None:
    """The message goes into the log."""
    with pytest.raises(SettingsError) as caught:
        load(DDS_ENDPOINT=endpoint)

    assert "DDS_ENDPOINT: must be http(s)://HOST[:PORT]" in str(caught.value)
    assert "ter2" not in str(caught.value)


def test_settings_fit_into_functiongraph() -> None:
    """A function has at most 20 environment variables."""
    assert len(CreateBackupSettings.model_fields) <= 20


# Variables that look like a setting.


@pytest.mark.parametrize(
    ("name", "meant", "is_error"),
    [
        ("ALLOWED_INSTANCE", "ALLOWED_INSTANCES", True),
        ("Allowed_Instances", "ALLOWED_INSTANCES", True),
        ("allowed-instances", "ALLOWED_INSTANCES", True),
        ("ALLOW_INSTANCES", "ALLOWED_INSTANCES", False),
        ("NOTIFY_TOPIC", "NOTIFY_TOPIC_URN", False),
        ("ON_BUSSY", "ON_BUSY", True),
        ("REGOIN", "REGION", True),
        ("REGIMEN", None, False),
        ("RETENTION", None, False),
        ("MY_OWN", None, False),
    ],
)
def test_a_variable_that_looks_like_a_setting_is_misspelt(name: str, meant: str | None, *, is_error: bool) -> None:
    """A setting of another function, and a variable that resembles none, are not."""
    found = unknown_settings(CreateBackupSettings, [name])

    assert found == ([(name, meant, is_error)] if meant else [])


@given(st.sampled_from(MODELS), st.data())
def test_one_edit_away_from_a_setting_is_an_error(model: type[Settings], data: st.DataObject) -> None:
    """A character more, less or another, or two neighbours swapped; the error names both."""
    setting = data.draw(st.sampled_from(sorted(model.model_fields)))
    at = data.draw(st.integers(0, len(setting) - 2))
    letter = data.draw(st.sampled_from("ABCXYZ_9"))
    name = data.draw(
        st.sampled_from(
            [
                setting[:at] + letter + setting[at:],
                setting[:at] + setting[at + 1 :],
                setting[:at] + letter + setting[at + 1 :],
                setting[:at] + setting[at + 1] + setting[at] + setting[at + 2 :],
                setting.lower(),
            ]
        ).filter(lambda name: name not in model.model_fields)
    )

    with pytest.raises(SettingsError, match=rf"{name}: is not a setting .* did you mean \w+\?"):
        load_settings(model, FakeContext({"NOTIFY_TOPIC_URN": URN}), {name: ""})


# What FunctionGraph sets (Developer Guide, Environment Variables; the open runtime), and what other programs read.
FOREIGN = """
    RUNTIME_PROJECT_ID RUNTIME_FUNC_NAME RUNTIME_FUNC_VERSION RUNTIME_PACKAGE RUNTIME_HANDLER RUNTIME_TIMEOUT
    RUNTIME_USERDATA RUNTIME_CPU RUNTIME_MEMORY RUNTIME_MAX_RESP_BODY_SIZE RUNTIME_INITIALIZER_HANDLER
    RUNTIME_INITIALIZER_TIMEOUT RUNTIME_ROOT RUNTIME_CODE_ROOT RUNTIME_LOG_DIR RUNTIME_API_ADDR EXTENSION_API_ADDR
    ENV_DELEGATE_DOWNLOAD YR_LOG_LEVEL GLOG_log_level LD_LIBRARY_PATH LD_PRELOAD PYDANTIC_DISABLE_PLUGINS PATH LANG
    LANGUAGE LC_ALL LC_CTYPE HOME USER SHELL TERM PWD OLDPWD SHLVL HOSTNAME LOGNAME TMPDIR TZ _ PYTHONPATH PYTHONHOME
    PYTHONUNBUFFERED PYTHONIOENCODING HTTP_PROXY https_proxy no_proxy ALL_PROXY REQUESTS_CA_BUNDLE SSL_CERT_FILE
    AWS_REGION HW_REGION_NAME HUAWEICLOUD_SDK_AK HUAWEICLOUD_SDK_REGION KUBERNETES_SERVICE_HOST KUBERNETES_PORT
    NODE_IP POD_NAME POD_IP NAMESPACE CI DEBUG VIRTUAL_ENV
"""


@pytest.mark.parametrize("model", MODELS)
def test_variables_of_others_are_no_settings(model: type[Settings]) -> None:
    """Neither those of the platform and of other programs, nor the settings of the other functions."""
    settings = [name for other in MODELS for name in other.model_fields]

    assert unknown_settings(model, [*FOREIGN.split(), *settings]) == []


@given(st.sampled_from(MODELS), st.sampled_from(sorted({name for model in MODELS for name in model.model_fields})))
def test_no_variable_of_the_platform_is_misspelt(model: type[Settings], name: str) -> None:
    """FunctionGraph's names begin with RUNTIME_, whatever follows."""
    assert unknown_settings(model, [f"RUNTIME_{name}"]) == []


def test_misspelt_and_invalid_settings_are_explained_at_once() -> None:
    """A wrong name is one fault among the others."""
    with pytest.raises(SettingsError, match=r"LOGLEVEL: .* did you mean LOG_LEVEL\?; REGION: "):
        load({"LOGLEVEL": "INFO"}, REGION="Beijing!")
