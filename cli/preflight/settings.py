"""The settings of the functions, checked with the model that each function reads them with."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from cli.preflight.functions import FUNCTIONS, known_function
from cli.template.document import REFERENCE, KeyPath, Level, Problem
from cli.template.load import Source
from cli.template.model import Function
from localcloud.functiongraph.schedule import Every, read_schedule
from shared.drill.function import DrillBackupsSettings
from shared.errors import SettingsError
from shared.runtime.settings import Settings, SettingsT, UnknownSetting, load_settings, unknown_settings


TOPIC_SETTING = "NOTIFY_TOPIC_URN"
TOPIC = "urn:smn:region:project:topic"
"""Stands for a topic whose URN is known only at the deployment."""

PLACE_SETTING = "DRILL_ENTERPRISE_PROJECT_ID"
PLACE = "enterprise-project"
"""Stands for an enterprise project that is known only at the deployment."""

DEFAULT_ENTERPRISE_PROJECT = "0"
"""The id of the enterprise project that has whatever is in no other (EPS API, Querying Enterprise Projects)."""

PERIODS = {"track_backups": "TRACK_PERIOD", "drill_backups": "DRILL_PERIOD"}
"""The setting that has to equal the rate of the function's timer, by folder."""

_VARIABLES = ("Environment", "Variables")


def misspelt_settings(model: type[Settings], names: Iterable[str]) -> list[UnknownSetting]:
    """Return the unknown settings among *names*, without the settings of other functions, which Globals may have."""
    others = {name for known in FUNCTIONS.values() for name in known.settings.model_fields}
    return unknown_settings(model, [name for name in names if name not in others])


def known_variables(model: type[Settings], function: Function) -> dict[str, str]:
    """Return the variables of *function* that are settings and whose values are known before the deployment.

    The placeholders `TOPIC` and `PLACE` stand for the URN of a topic and for an enterprise project that are not.
    """
    given = {}
    for name, value in function.variables.items():
        if name in model.model_fields:
            if not REFERENCE.search(value):
                given[name] = value
            elif name.endswith("_TOPIC_URN") or name == PLACE_SETTING:
                given[name] = PLACE if name == PLACE_SETTING else TOPIC
    return given


@dataclass(frozen=True, slots=True)
class _Variables:
    """The part of FunctionGraph's context that settings are read from."""

    values: Mapping[str, str]

    def getUserData(self, key: str) -> str | None:  # noqa: N802 the platform's name
        return self.values.get(key)


def read_variables(model: type[SettingsT], variables: Mapping[str, str]) -> SettingsT:
    """Read *variables* as the function reads them. Raises SettingsError, which names all faults."""
    return load_settings(model, _Variables(variables), variables)  # type: ignore[arg-type]  # it only calls getUserData


def setting_problems(source: Source) -> Iterator[Problem]:
    """Yield the faults of the settings of each function, and the variables that look like misspelt settings."""
    for function in source.template.functions:
        known = known_function(function)
        if known is None:
            continue
        given = known_variables(known.settings, function)
        try:
            settings = read_variables(known.settings, given)
        except SettingsError as error:
            yield from _faults(source, function, known.settings, given, error)
        else:
            yield from _period_problems(source, function, settings)
            yield from _drill_problems(source, function, settings)
        for name, meant, is_error in misspelt_settings(known.settings, function.variables):
            yield Problem(
                source.path(function, *_VARIABLES, name),
                f"{name} is not a setting, and has no effect",
                meant,
                f"did you mean {meant}? Otherwise remove {name}",
                code="unknown_setting",
                level=Level.ERROR if is_error else Level.WARNING,
            )


def _faults(
    source: Source, function: Function, model: type[Settings], given: Mapping[str, str], error: SettingsError
) -> Iterator[Problem]:
    """Yield a problem for each variable that has a fault by itself, or else one for all of them."""
    page = f"see docs/{function.code_uri.name}.md"
    found = []
    for name, value in given.items():
        try:
            read_variables(model, {TOPIC_SETTING: TOPIC, name: value})
        except SettingsError as fault:
            path = source.path(function, *_VARIABLES, name)
            found.append(_fault(path, str(fault).partition(f"{name}: ")[2] or str(fault), page))
    if TOPIC_SETTING not in function.variables:
        path = source.path(function, *_VARIABLES)
        found.append(_fault(path, f"{TOPIC_SETTING} is missing", "add it: the URN of a topic, such as ${NotifyTopic}"))
    elif not found and TOPIC_SETTING in given:
        found.append(_fault(source.path(function, *_VARIABLES), str(error), page))
    yield from found


def _fault(path: KeyPath, found: str, what_to_do: str) -> Problem:
    return Problem(path, found, what_to_do=what_to_do, code="setting")


def _period_problems(source: Source, function: Function, settings: Settings) -> Iterator[Problem]:
    """Yield the rates of timers that differ from the period that each run of the function covers."""
    if function.code_uri.name not in PERIODS:
        return
    setting = PERIODS[function.code_uri.name]
    period: timedelta = getattr(settings, setting)
    for event in function.events:
        if event.type == "TIMER" and event.properties.get("schedule_type") == "Rate":
            text = str(event.properties["schedule"])
            try:
                schedule = read_schedule("Rate", text, 0.0)
            except ValueError:
                continue  # a problem of the timer
            if isinstance(schedule, Every) and schedule.seconds != period.total_seconds():
                yield Problem(
                    source.path(function, *_VARIABLES, setting),
                    f"{setting} is {period}, and the timer {event.name} fires every {text}",
                    f"{text}: the runs together cover all time, and none of it twice",
                    f"set {setting} to {text}, or correct the schedule of {event.name}",
                    code="timer_period",
                    level=Level.WARNING,
                )


def _drill_problems(source: Source, function: Function, settings: Settings) -> Iterator[Problem]:
    """Yield the settings of drill_backups that are valid by themselves, but under which drills are unsafe or fail."""
    if not isinstance(settings, DrillBackupsSettings):
        return
    if settings.DRILL_ENTERPRISE_PROJECT_ID == DEFAULT_ENTERPRISE_PROJECT:
        yield Problem(
            source.path(function, *_VARIABLES, PLACE_SETTING),
            f"{PLACE_SETTING} is 0, the default enterprise project: the agency could delete every instance in it",
            "an enterprise project that has nothing but the instances of drills",
            "create one in the console: Enterprise > Project Management, and give its id",
            code="default_enterprise_project",
        )
    if settings.DRILL_CONNECT and function.vpc_config is None:
        yield Problem(
            source.path(function, *_VARIABLES, "DRILL_CONNECT"),
            "DRILL_CONNECT is true, and the function has no VpcConfig: it cannot reach the copy",
            "VpcConfig with the VPC of the copies",
            "add VpcConfig, or remove DRILL_CONNECT: see docs/deployment.md, Restore drills",
            code="drill_connect",
            level=Level.WARNING,
        )
