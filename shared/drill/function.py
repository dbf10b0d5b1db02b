"""drill_backups: restores backups to new instances, checks what came back, and deletes the instances again."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from shared.drill.schedule import Hours, read_hours
from shared.fields import Interval
from shared.runtime.settings import Settings, lower


def _check_days(value: timedelta) -> timedelta:
    if value < timedelta(days=1) or value % timedelta(days=1):
        raise ValueError(f"must be a whole number of days, from 1d to 366d; found {value}")
    return value


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Percent = Annotated[float, Field(ge=0, le=100)]


class DrillBackupsSettings(Settings):
    """The settings of drill_backups. Durations look like "30m", "6h", "30d".

    Attributes:
        DRY_RUN: only report which drills would begin. Changes nothing.
        DRILL_INTERVAL: every instance is drilled once in this time: whole days.
        DRILL_HOURS: when drills may begin, as "HH:MM-HH:MM" in UTC, at least two hours; may cross midnight.
        DRILL_PERIOD: from one run of the timer to the next; has to be the timer's rate.
        DRILL_MAX_AGE: how old the instance of a drill becomes at most; then it is deleted in whatever state it is.
        DRILL_PICK: which backup is drilled: the newest good one, or any good one.
        DRILL_RTO: how long a restore may take. A longer one is published as a warning.
        MAX_DRILL_GB: how much disk the instance of a drill may have, all shards together.
        MAX_DRILLS_PER_WEEK: how many drills may begin in seven days, of the whole project.
        DRILL_ENTERPRISE_PROJECT_ID: the enterprise project of the instances of drills. Nothing else may lie in it.
        DRILL_VPC_ID, DRILL_SUBNET_ID, DRILL_SECURITY_GROUP_ID: replace those of the source.
        DRILL_SPEC: replaces the specification of the source's nodes, unless it is a cluster.
        DRILL_CONNECT: also read the documents of the copy, for which the function needs a way into its VPC.
        DRILL_CANARY: the field, as database.collection.field, that has the time of the application's last write.
        DRILL_TOLERANCE: percent by which sizes and counts of the copy may differ from those of the source.
        DRILL_RPO: how much older than the begin of the backup the newest data in the copy may be.
    """

    DRY_RUN: bool = True
    DRILL_INTERVAL: Annotated[Interval, AfterValidator(_check_days)] = timedelta(days=30)
    DRILL_HOURS: Annotated[Hours, PlainValidator(read_hours)] = read_hours("10:00-22:00")
    DRILL_PERIOD: Interval = timedelta(minutes=5)
    DRILL_MAX_AGE: Interval = timedelta(hours=6)
    DRILL_PICK: Annotated[Literal["newest", "random"], BeforeValidator(lower)] = "newest"
    DRILL_RTO: Interval | None = None
    MAX_DRILL_GB: Annotated[int, Field(ge=10, le=100_000)] = 200
    MAX_DRILLS_PER_WEEK: Annotated[int, Field(ge=1, le=500)] = 7
    DRILL_ENTERPRISE_PROJECT_ID: Annotated[Id | None, Field(validate_default=True)] = None
    DRILL_VPC_ID: Id | None = None
    DRILL_SUBNET_ID: Id | None = None
    DRILL_SECURITY_GROUP_ID: Id | None = None
    DRILL_SPEC: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    DRILL_CONNECT: bool = False
    DRILL_CANARY: Annotated[str, Field(pattern=r"^[^.\s]{1,64}\.[^\s]{1,120}\.[^.\s]{1,64}$")] | None = None
    DRILL_TOLERANCE: Percent = 10.0
    DRILL_RPO: Interval | None = None

    @field_validator("DRILL_ENTERPRISE_PROJECT_ID")
    @classmethod
    def _is_known_before_anything_is_made(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("DRY_RUN") is False:
            raise ValueError("required when DRY_RUN is false: drills need an enterprise project of their own")
        return value
