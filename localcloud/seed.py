"""The seed file: what the local cloud starts with."""

import math
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from localcloud.clock import text
from localcloud.dds.state import Mode
from localcloud.smn.state import Protocol
from localcloud.strict import Strict


BUILT_IN = Path(__file__).with_name("seed.yaml")
HOUR = 3600.0
# YAML has lists, facts that do not change have tuples.
FROM_LIST = Field(strict=False)


class NamedId(Strict):
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    name: str


class SeedCredentials(Strict):
    """They never expire; without a security_token the access key is a permanent one."""

    access_key: str
    secret_key: str
    security_token: str | None
    token: str


class SeedPolicy(Strict):
    keep_days: Annotated[int, Field(ge=1, le=732)]
    start_time: Annotated[str, Field(pattern=r"^(\+\d+h|\d\d:\d\d-\d\d:\d\d)$")]
    period: Annotated[str, Field(pattern="^[1-7](,[1-7]){0,6}$")]
    incremental: bool = False
    history_days: Annotated[float, Field(ge=0)] = 0

    def window(self, now: float) -> str:
        """The window as hh:mm-HH:MM; "+6h" is the first quarter of an hour from six hours after `now` on."""
        if not self.start_time.startswith("+"):
            return self.start_time
        begin = now + int(self.start_time[1:-1]) * HOUR
        begin = math.ceil(begin / (HOUR / 4)) * (HOUR / 4)
        return f"{text(begin, '%H:%M')}-{text(begin + HOUR, '%H:%M')}"


class SeedInstance(Strict):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}in\d\d$")]
    name: str
    mode: Mode
    status: str = "normal"
    version: str = "4.0"
    remark: str = ""
    data_gb: Annotated[float, Field(ge=0)] = 0.5
    volume_gb: int = 10
    days_old: Annotated[float, Field(ge=0)] = 1
    enterprise_project_id: str = "0"
    hidden_node: str = "normal"
    actions: Annotated[tuple[str, ...], FROM_LIST] = ()
    busy_for: float | None = None
    fails_with: str | None = None
    tags: Annotated[dict[str, str], Field(default_factory=dict)]
    backup_policy: SeedPolicy | None = None


class SeedBackup(Strict):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}br\d\d$")]
    name: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{3,63}$")]
    instance_id: str
    instance_name: str = ""
    description: str = ""
    days_old: Annotated[float, Field(gt=0)]
    fails_with: str | None = None


class SeedSubscription(Strict):
    protocol: Protocol
    endpoint: str
    remark: str = ""
    confirmed: bool = True


class SeedTopic(Strict):
    name: str
    display_name: str = ""
    subscriptions: Annotated[tuple[SeedSubscription, ...], FROM_LIST] = ()


class Seed(Strict):
    """The whole file. Ages are days before the start, sizes GB."""

    region: str
    project: NamedId
    domain: NamedId
    credentials: SeedCredentials
    instances: Annotated[tuple[SeedInstance, ...], FROM_LIST]
    backups: Annotated[tuple[SeedBackup, ...], FROM_LIST] = ()
    topics: Annotated[tuple[SeedTopic, ...], Field(min_length=1, strict=False)]


def load_seed(path: Path | None = None) -> Seed:
    """Read a seed file, the built-in one by default.

    Raises ValueError naming the file and what is wrong with it, OSError when it cannot be read.
    """
    path = path or BUILT_IN
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Seed.model_validate(content)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_url=False))
        raise ValueError(f"{path}: {problems}") from error
