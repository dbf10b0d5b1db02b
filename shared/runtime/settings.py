"""The settings of the functions: read when the function starts, and checked all at once."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.errors import SettingsError
from shared.fields import explain
from shared.fleet import Fence
from shared.identity import MAX_PREFIX, MAX_STACK
from shared.runtime.context import Context


# The region becomes part of a host name.
_TOPIC_URN = re.compile(r"urn:smn:[a-z0-9-]+:[^:\s]+:[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_ENDPOINT = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]{2,45}\])(:(?P<port>[0-9]{1,5}))?/?")
_MAX_PORT = 65535
_PREFIX = re.compile(rf"[A-Za-z][A-Za-z0-9_-]{{0,{MAX_PREFIX - 1}}}")


def _check_topic_urn(value: str) -> str:
    if not _TOPIC_URN.fullmatch(value):
        raise ValueError(f"must be urn:smn:REGION:PROJECT_ID:TOPIC; found {value!r:.120}")
    return value


def _check_endpoint(value: str) -> str:
    match = _ENDPOINT.fullmatch(value)
    if not match or not 1 <= int(match["port"] or 1) <= _MAX_PORT:
        # What precedes an @ is a password, and a message goes into the log.
        found = "a user or password" if "@" in value else f"{value!r:.120}"
        raise ValueError(
            f"must be http(s)://HOST[:PORT], a port from 1 to {_MAX_PORT}, without a path, which the SDK would drop; "
            f"found {found}"
        )
    return value.rstrip("/")


def _check_prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        raise ValueError(
            f"must be 1 to {MAX_PREFIX} letters, digits, hyphens and underscores, a letter first; found {value!r:.80}"
        )
    return value


def split(value: object) -> object:
    """Split a list that is separated by commas or blanks."""
    return tuple(filter(None, re.split(r"[,\s]+", value))) if isinstance(value, str) else value


def lower(value: object) -> object:
    """Lower the case of a text, for settings that ignore case."""
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


TopicUrn = Annotated[str, AfterValidator(_check_topic_urn)]
Endpoint = Annotated[str, AfterValidator(_check_endpoint)]
Seconds = Annotated[float, Field(gt=0, le=300)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(split)]
_FENCE = "ALLOWED_INSTANCES"
SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(BaseModel):
    """The settings that all functions share: environment variables of these names.

    Attributes:
        NOTIFY_TOPIC_URN: the SMN topic for all notifications; region and project follow from it.
        REGION: the region of the instances, if it differs from the topic's.
        DDS_ENDPOINT: replaces the endpoint of the region.
        SMN_ENDPOINT: replaces the endpoint of the region.
        MAX_CONCURRENCY: how many instances are worked on at a time.
        NAME_PREFIX: the beginning of the names of backups.
        CONNECT_TIMEOUT: seconds to make a connection.
        READ_TIMEOUT: seconds to receive an answer.
        LOG_LEVEL: DEBUG, INFO, WARNING or ERROR.
        STACK: the name of this deployment, which only touches backups whose description has it. Several deployments can
            share a project.
        ADOPT_UNMARKED: also touch backups whose description names no deployment.
        ALLOWED_INSTANCES: patterns of the instance ids that the function may touch, separated by commas; never empty.
    """

    # Only subclasses are instantiated, so the base model's validator is never built.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    NOTIFY_TOPIC_URN: TopicUrn
    REGION: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] | None = None
    DDS_ENDPOINT: Endpoint | None = None
    SMN_ENDPOINT: Endpoint | None = None
    MAX_CONCURRENCY: Annotated[int, Field(ge=1, le=64)] = 8
    NAME_PREFIX: Annotated[str, AfterValidator(_check_prefix)] = "dds-backup"
    CONNECT_TIMEOUT: Seconds = 3.0
    READ_TIMEOUT: Seconds = 20.0
    ALLOWED_INSTANCES: Annotated[Patterns, Field(min_length=1)] = ("*",)
    STACK: Annotated[str, Field(pattern=rf"^[A-Za-z0-9_-]{{1,{MAX_STACK}}}$")] | None = None
    ADOPT_UNMARKED: bool = False
    LOG_LEVEL: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"

    @property
    def fence(self) -> Fence:
        """The instances and backups that the function may touch."""
        return Fence(self.ALLOWED_INSTANCES, self.STACK, self.ADOPT_UNMARKED)

    @property
    def region(self) -> str:
        """The region of the instances."""
        return self.REGION or self.NOTIFY_TOPIC_URN.split(":")[2]

    def endpoint(self, service: str) -> str:
        """Return the endpoint of "dds" or "smn": the setting, or else the endpoint of the region."""
        given = self.DDS_ENDPOINT if service == "dds" else self.SMN_ENDPOINT
        # The topic may be in another region than the instances.
        region = self.region if service == "dds" else self.NOTIFY_TOPIC_URN.split(":")[2]
        return given or regional_endpoint(service, region)


def regional_endpoint(service: str, region: str) -> str:
    """Return a service's endpoint in a region (Regions and Endpoints); Dublin has a domain of its own."""
    domain = "myhuaweicloud.eu" if region == "eu-west-101" else "myhuaweicloud.com"
    return f"https://{service}.{region}.{domain}"


def load_settings(model: type[SettingsT], context: Context, environment: Mapping[str, str]) -> SettingsT:
    """Read each setting from the context's user data, or else from the environment. An empty one counts as not set.

    Raises:
        SettingsError: a setting is missing, wrong or misspelt by one edit; names all of them.
    """
    given = {name: context.getUserData(name) or environment.get(name) for name in model.model_fields}
    if environment.get(_FENCE) == "":
        given[_FENCE] = ","  # no pattern at all, which is a fault: an empty fence must not allow everything
    faults = [str(unknown) for unknown in unknown_settings(model, environment) if unknown.is_error]
    try:
        settings = model.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        faults += explain(error, model)
    else:
        if not faults:
            return settings
    raise SettingsError(f"wrong settings in the function's environment variables: {'; '.join(faults)}")


_PLATFORM = "RUNTIME_"
"""How the variables begin that FunctionGraph sets (Developer Guide, Environment Variables)."""


class UnknownSetting(NamedTuple):
    """A variable that is not a setting but looks like one.

    Attributes:
        meant: the setting that it looks like.
        is_error: whether it is one edit away from that setting, so that it can hardly mean anything else.
    """

    name: str
    meant: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.name}: is not a setting of this function, and has no effect; did you mean {self.meant}?"


def unknown_settings(model: type[Settings], names: Iterable[str]) -> list[UnknownSetting]:
    """Return the variables that look like settings of `model` but are none, by name.

    An edit inserts, deletes or replaces a character, or swaps two neighbours; case does not count. A variable looks
    like a setting if at most one edit for four characters of the setting separates them. All other variables are none
    of our business: the platform and other programs have their own.
    """
    settings = [(setting, set(setting), _reach(setting)) for setting in model.model_fields]
    found = []
    for name in sorted(names):
        if name in model.model_fields or name.startswith(_PLATFORM):
            continue
        written = name.upper().replace("-", "_")
        characters = set(written)
        # Every cold start compares each variable with each setting: these two bounds leave few edits to count.
        near = [
            (edits, setting)
            for setting, known, reach in settings
            if abs(len(written) - len(setting)) <= reach
            if len(characters ^ known) <= 2 * reach
            if (edits := _edits(written, setting, reach)) <= reach
        ]
        if near:
            edits, meant = min(near)
            found.append(UnknownSetting(name, meant, is_error=edits <= 1))
    return found


def _reach(setting: str) -> int:
    """How many edits away a name still looks like a setting."""
    return max(1, len(setting) // 4)


def _edits(written: str, setting: str, most: int) -> int:
    """Count the edits between two names (optimal string alignment). Stops early if there are more than `most`."""
    older: list[int] = []
    old = list(range(len(setting) + 1))
    for i, char in enumerate(written):
        new = [i + 1]
        for j, wanted in enumerate(setting):
            edits = min(old[j] + (char != wanted), old[j + 1] + 1, new[j] + 1)
            if i and j and char == setting[j - 1] and written[i - 1] == wanted:
                edits = min(edits, older[j - 1] + 1)
            new.append(edits)
        if min(new) > most and min(old) > most:  # swapped neighbours continue from the line before
            return most + 1
        older, old = old, new
    return old[-1]
