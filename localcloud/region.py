"""The region and project that the local cloud consists of, and the switches for what differs between regions."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import Field

from localcloud.clock import Clock
from localcloud.strict import Strict


# In MB/s. Slower backups would end after the last year that a timestamp can have.
SLOWEST_BACKUP = 0.001


class Switches(Strict):
    """Behaviour that differs between real regions, or takes long there. The defaults are those of a current region."""

    unique_names: bool = Field(
        default=True, description="Refuse a backup whose name exists in the project (DBS.201201)."
    )
    newer_filters: bool = Field(
        default=True,
        description="Apply order_field, order_rule, backup_status, backup_name, backup_description and instance_name"
        " when listing backups. Older regions ignore them.",
    )
    job_id_in_answer: bool = Field(
        default=True, description="Return job_id when a backup is created. Older regions return backup_id only."
    )
    code_in_answer: bool = Field(
        default=True,
        description="Return the code of a function in func_code.file, a field that the API page calls deprecated.",
    )
    job_delay: float = Field(
        default=0.0, ge=0, description="Seconds until a new job can be queried. Real regions take a few."
    )
    enforce_policies: bool = Field(
        default=False, description="Refuse calls of an agency that none of its policies allows."
    )
    unique_instance_names: bool = Field(
        default=False, description="Refuse a new instance whose name exists in the project, as older regions do."
    )
    single_nodes: bool = Field(
        default=True,
        description="Offer single nodes. Some regions no longer do, and refuse to restore one to a new instance.",
    )
    restore_rate: float = Field(
        default=40.0,
        ge=SLOWEST_BACKUP,
        description="Speed of a restore in MB/s. To a point in time it is three quarters of that.",
    )
    duration_scale: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        description="What the time that an instance takes to be created, restarted and deleted is multiplied by.",
    )
    backup_rate: float = Field(default=60.0, ge=SLOWEST_BACKUP, description="Speed of a backup in MB/s.")


@dataclass(slots=True)
class Region:
    """Ids of region, project and account, the clock, the switches, and where new ids come from."""

    id: str
    project_id: str
    domain_id: str
    domain_name: str
    clock: Clock
    switches: Switches
    new_id: Callable[[], uuid.UUID] = uuid.uuid4
