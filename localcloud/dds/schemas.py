"""The bodies of DDS requests and answers (DDS API, tables of each page)."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from localcloud.dds.facts import BackupStatus, Mode


class Error(BaseModel):
    """An error of DDS, or of the gateway (APIGW.*) when it has a request_id."""

    error_code: str
    error_msg: str
    request_id: str | None = None


class NewBackup(BaseModel):
    """Table 2 of Creating a Manual Backup; a description may not break lines either (DDS user manual)."""

    instance_id: Annotated[str, Field(min_length=1, examples=["a89dab5e39394eccbdb77b19d57b0180in02"])]
    name: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{3,63}$", examples=["mybackup1"])]
    description: Annotated[
        str | None,
        Field(max_length=256, pattern="^[^>!<\"&'=\\r\\n]*$", examples=["The first Manual backup"]),
    ] = None


class CreateBackup(BaseModel):
    backup: NewBackup


class CreatedBackup(BaseModel):
    """Older regions leave job_id out."""

    job_id: str | None = None
    backup_id: str


class JobStarted(BaseModel):
    job_id: str


class BackupIds(BaseModel):
    backup_ids: Annotated[list[str], Field(min_length=1, max_length=10)]


class StopBackup(BaseModel):
    action: Literal["stop"]


class Nothing(BaseModel):
    """An empty body."""


class BackupDatastore(BaseModel):
    type: Literal["DDS-Community"] = "DDS-Community"
    version: str


class Backup(BaseModel):
    """Times are UTC, yyyy-mm-dd hh:mm:ss; size is in KB."""

    id: str
    name: str
    instance_id: str
    instance_name: str
    datastore: BackupDatastore
    type: Literal["Auto", "Manual"]
    begin_time: str
    end_time: str
    status: BackupStatus
    size: int
    description: str
    instance_status: str
    instance_mode: Mode
    is_instance_restoring: bool
    backup_method: Literal["Physical", "Logical"]
    kms_enable: bool
    deletable: bool


class Backups(BaseModel):
    backups: list[Backup]
    total_count: int


class DownloadFile(BaseModel):
    name: str
    size: int
    download_link: str
    link_expired_time: str


class DownloadLink(BaseModel):
    files: list[DownloadFile]
    bucket: str


class JobInstance(BaseModel):
    id: str
    name: str


class JobDetail(BaseModel):
    id: str
    name: str
    status: Literal["Running", "Completed", "Failed"]
    created: str
    ended: str
    progress: str
    instance: JobInstance
    fail_reason: str | None


class JobAnswer(BaseModel):
    job: JobDetail


class Task(BaseModel):
    id: str
    name: str
    instance_id: str
    instance_name: str
    status: Literal["Running", "Completed", "Failed"]
    progress: str
    fail_reason: str | None
    created_at: str
    ended_at: str


class Tasks(BaseModel):
    jobs: list[Task]
    total_count: int
