"""The sources of parameter values."""

import pytest

from cli.deploy.options import all_values, assignments, given_values, variable_of
from cli.errors import WrongCall
from cli.template.model import Parameter


PARAMETERS = {
    "Prefix": Parameter("Prefix", "dds", ""),
    "NotifyEmail": Parameter("NotifyEmail", None, ""),
    "KafkaPassword": Parameter("KafkaPassword", None, "", is_secret=True),
    "Days": Parameter("Days", "3", "", type="Number"),
}
GIVEN = {"NotifyEmail": "a@b.c"}
ENVIRONMENT = {"DDSBACKUP_KAFKA_PASSWORD": "hunter2"}


def values(
    given: dict[str, str] | None = None,
    from_file: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
) -> dict[str, str]:
    known = given_values(
        PARAMETERS,
        GIVEN if given is None else given,
        from_file or {},
        ENVIRONMENT if environment is None else environment,
    )
    return all_values(PARAMETERS, known, None)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("NotifyEmail", "DDSBACKUP_NOTIFY_EMAIL"), ("Prefix", "DDSBACKUP_PREFIX"), ("S3Key", "DDSBACKUP_S3_KEY")],
)
def test_the_environment_variable_of_a_parameter(name: str, variable: str) -> None:
    """It is in capitals, with underscores between words."""
    assert variable_of(name) == variable


def test_precedence() -> None:
    """The command line wins over the file, the file over the environment, and the environment over the default."""
    environment = ENVIRONMENT | {"DDSBACKUP_PREFIX": "environment"}

    assert values()["Prefix"] == "dds"
    assert values(environment=environment)["Prefix"] == "environment"
    assert values(from_file={"Prefix": "file"}, environment=environment)["Prefix"] == "file"
    assert values(GIVEN | {"Prefix": "call"}, {"Prefix": "file"}, environment)["Prefix"] == "call"


def test_all_missing_parameters_are_named() -> None:
    """The message says how to give each, a secret never on the command line."""
    with pytest.raises(
        WrongCall,
        match=r"NotifyEmail and KafkaPassword: give --parameter NotifyEmail=\.\.\., set DDSBACKUP_KAFKA_PASSWORD",
    ):
        values({}, environment={})


def test_nobody_is_asked_for_what_nothing_refers_to() -> None:
    """A value that is given all the same does no harm: parameter files stay valid when the template changes."""
    unused = Parameter("InstanceId", None, "", is_used=False)
    parameters = {"InstanceId": unused}

    assert all_values(parameters, given_values(parameters, {}, {}, {}), None) == {}
    assert given_values(parameters, {}, {"InstanceId": "i-1"}, {}) == {"InstanceId": "i-1"}


def test_only_missing_parameters_are_asked_for() -> None:
    """The other ones have values."""
    asked = []

    def ask(parameter: Parameter) -> str:
        asked.append(parameter.name)
        return "answer"

    result = all_values(PARAMETERS, given_values(PARAMETERS, GIVEN, {}, {}), ask)

    assert asked == ["KafkaPassword"]
    assert result["KafkaPassword"] == "answer"


def test_a_secret_on_the_command_line_is_refused_and_not_repeated() -> None:
    """Other users of the machine can read a command line."""
    with pytest.raises(WrongCall, match=r"KafkaPassword is a secret.*set DDSBACKUP_KAFKA_PASSWORD") as caught:
        values(GIVEN | {"KafkaPassword": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Prefx": "x"}, "no parameter 'Prefx', did you mean 'Prefix'"),
        (GIVEN | {"Days": "many"}, "Days: found 'many', expected a number"),
    ],
    ids=["unknown", "no number"],
)
def test_a_wrong_value_is_refused(given: dict[str, str], message: str) -> None:
    """The message names the closest parameter, or what was expected."""
    with pytest.raises(WrongCall, match=message):
        values(given)


def test_an_assignment_may_hold_equals_signs() -> None:
    """The first equals sign ends the name."""
    assert assignments(["A=1", "B=x=y", "A="]) == {"A": "", "B": "x=y"}
    with pytest.raises(WrongCall, match="expected Name=Value"):
        assignments(["A"])
