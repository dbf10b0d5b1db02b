"""What differs from region to region, or would take too long to wait for."""

from pydantic import Field

from localcloud.strict import Strict


class Switches(Strict):
    """How this local cloud behaves where real regions differ. The defaults are those of a current region."""

    unique_names: bool = Field(
        default=True, description="Refuse a backup whose name exists in the project (DBS.201201)."
    )
    newer_filters: bool = Field(
        default=True,
        description="Heed order_field, order_rule, backup_status, backup_name, backup_description and instance_name"
        " when listing backups; older regions ignore them.",
    )
    job_id_in_answer: bool = Field(
        default=True, description="Answer job_id when a backup is created; older regions answer backup_id only."
    )
    job_delay: float = Field(
        default=0.0, ge=0, description="Seconds until a new job can be queried; real regions take a few."
    )
    enforce_policies: bool = Field(
        default=False, description="Let an agency make those calls alone that a policy granted to it allows."
    )
    backup_rate: float = Field(default=60.0, gt=0, description="Speed of a backup in MB/s.")
