"""The function's settings: read once, checked at once."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.backups.errors import SettingsError
from shared.backups.names import MAX_PREFIX
from shared.backups.validation import explain
from shared.runtime.context import Context


_TOPIC_URN = re.compile(r"urn:smn:(?P<region>[^:\s]+):(?P<project>[^:\s]+):(?P<topic>[A-Za-z0-9][A-Za-z0-9_-]{0,254})")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")
_PREFIX = re.compile(rf"[A-Za-z][A-Za-z0-9_-]{{0,{MAX_PREFIX - 1}}}")


def _check_topic_urn(value: str) -> str:
    if not _TOPIC_URN.fullmatch(value):
        raise ValueError(f"must be urn:smn:REGION:PROJECT_ID:TOPIC; found {value!r:.120}")
    return value


def _check_endpoint(value: str) -> str:
    if not _ENDPOINT.fullmatch(value):
        raise ValueError(
            f"must be http(s)://HOST[:PORT] without a path, which the SDK would drop; found {value!r:.120}"
        )
    return value.rstrip("/")


def _check_prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        raise ValueError(
            f"must be 1 to {MAX_PREFIX} letters, digits, hyphens and underscores, a letter first; found {value!r:.80}"
        )
    return value


def split(value: object) -> object:
    """A list as people write it: separated by commas or blanks."""
    return tuple(filter(None, re.split(r"[,\s]+", value))) if isinstance(value, str) else value


def lower(value: object) -> object:
    """A word as settings are compared."""
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


TopicUrn = Annotated[str, AfterValidator(_check_topic_urn)]
Endpoint = Annotated[str, AfterValidator(_check_endpoint)]
Seconds = Annotated[float, Field(gt=0, le=300)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(split)]
SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(BaseModel):
    """What every function is configured with, under these names, as its environment variables.

    Attributes:
        NOTIFY_TOPIC_URN: the SMN topic that hears of every backup; region and project follow from it.
        REGION: the region of the instances, if it is not the topic's.
        DDS_ENDPOINT: in place of the region's.
        SMN_ENDPOINT: in place of the region's.
        MAX_CONCURRENCY: how many instances are worked on at a time.
        NAME_PREFIX: what the names of the backups begin with.
        CONNECT_TIMEOUT: seconds for a connection to be made.
        READ_TIMEOUT: seconds for an answer to come.
        LOG_LEVEL: DEBUG, INFO, WARNING or ERROR.
    """

    # Each function has a model of its own: of the common one nothing is built.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    NOTIFY_TOPIC_URN: TopicUrn
    REGION: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] | None = None
    DDS_ENDPOINT: Endpoint | None = None
    SMN_ENDPOINT: Endpoint | None = None
    MAX_CONCURRENCY: Annotated[int, Field(ge=1, le=64)] = 8
    NAME_PREFIX: Annotated[str, AfterValidator(_check_prefix)] = "dds-backup"
    CONNECT_TIMEOUT: Seconds = 3.0
    READ_TIMEOUT: Seconds = 20.0
    LOG_LEVEL: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"

    @property
    def region(self) -> str:
        """The region of the instances."""
        return self.REGION or self.NOTIFY_TOPIC_URN.split(":")[2]

    def endpoint(self, service: str) -> str:
        """The endpoint of "dds" or "smn": the one that was set, else that of the region."""
        given = self.DDS_ENDPOINT if service == "dds" else self.SMN_ENDPOINT
        # The topic may be in another region than the instances.
        region = self.region if service == "dds" else self.NOTIFY_TOPIC_URN.split(":")[2]
        return given or regional_endpoint(service, region)


def regional_endpoint(service: str, region: str) -> str:
    """A service's endpoint in a region (Regions and Endpoints: dds.{region}.myhuaweicloud.com, .eu in Dublin)."""
    domain = "myhuaweicloud.eu" if region == "eu-west-101" else "myhuaweicloud.com"
    return f"https://{service}.{region}.{domain}"


def load_settings(model: type[SettingsT], context: Context, environment: Mapping[str, str]) -> SettingsT:
    """The settings, each from the context's user data, else from the environment; an empty one counts as not set.

    Raises:
        SettingsError: something is missing or wrong; names every such setting.
    """
    given = {name: context.getUserData(name) or environment.get(name) for name in model.model_fields}
    try:
        return model.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        faults = "; ".join(explain(error, model))
        raise SettingsError(f"wrong settings, to be mended in the function's environment variables: {faults}") from None
