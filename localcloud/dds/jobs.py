"""Jobs: one by its id, and the task list (DDS API, Querying Tasks)."""

from datetime import datetime
from functools import lru_cache

from localcloud.clock import text
from localcloud.dds import schemas
from localcloud.dds.errors import dds_error, parameter_error
from localcloud.dds.model import DAY, Job, JobKind
from localcloud.dds.state import DdsState


TIME = "%Y-%m-%dT%H:%M:%S+0000"
MONTH = 30 * DAY
# "Querying Tasks" has no names for deletions, so none is listed.
UNLISTED = {JobKind.DELETE, JobKind.DELETE_INSTANCE}


def show(state: DdsState, job_id: str) -> schemas.JobResponse:
    """A job of the last month.

    Raises DBS.200543 for an unknown job, for one younger than the switch job_delay, and for a finished deletion. The
    latter is how clients learn that a backup is gone.
    """
    now = state.present()
    job = state.jobs.get(job_id)
    if job is None or not _visible(state, job, now) or (job.kind is JobKind.DELETE and now >= job.end):
        raise dds_error("DBS.200543")
    return schemas.JobResponse(
        job=schemas.JobDetail(
            id=job.id,
            name=job.kind.value,
            status=job.status(now),
            created=text(job.begin, TIME),
            # Present while the job runs, as in the example of the API page.
            ended=text(job.end, TIME),
            progress=job.progress(now),
            instance=schemas.JobInstance(id=job.instance_id, name=job.instance_name),
            fail_reason=job.fail_reason if now >= job.end else None,
        )
    )


def tasks(
    state: DdsState,
    start_time: str,
    end_time: str,
    *,
    status: str | None = None,
    job_id: str | None = None,
    name: str | None = None,
    offset: int = 0,
    limit: int = 100,
) -> schemas.Tasks:
    """List the jobs that started in a window of at most 30 days, newest first. Deletions are not listed.

    Raises DBS.280067, 280068 or 200001 for an invalid parameter.
    """
    now = state.present()
    start, end = _time(start_time, "DBS.280067"), _time(end_time, "DBS.280068")
    if not 0 < end - start <= MONTH:
        raise dds_error("DBS.280068")
    if status not in (None, "Running", "Completed", "Failed"):
        raise parameter_error("status must be Running, Completed, or Failed")
    found = [
        job
        for job in state.jobs
        if _visible(state, job, now)
        and start <= job.begin <= end
        and job.kind not in UNLISTED
        and status in (None, job.status(now))
        and job_id in (None, job.id)
        and name in (None, job.kind.value)
    ]
    found.sort(key=lambda job: job.begin, reverse=True)
    page = [_task(job, min(now, job.end)) for job in found[offset : offset + limit]]
    return schemas.Tasks(jobs=page, total_count=len(found))


def _visible(state: DdsState, job: Job, now: float) -> bool:
    return state.region.switches.job_delay <= now - job.begin <= MONTH


@lru_cache(maxsize=5000)  # of a job that has ended, always the same
def _task(job: Job, now: float) -> schemas.Task:
    return schemas.Task(
        id=job.id,
        name=job.kind.value,
        instance_id=job.instance_id,
        instance_name=job.instance_name,
        status=job.status(now),
        progress=job.progress(now),
        fail_reason=job.fail_reason if now >= job.end else None,
        created_at=text(job.begin, TIME),
        ended_at=text(job.end, TIME) if now >= job.end else "",
    )


def _time(value: str, code: str) -> float:
    # "yyyy-mm-ddThh:mm:ssZ, Z being the offset from UTC" (Querying Tasks).
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError as error:
        raise dds_error(code) from error
