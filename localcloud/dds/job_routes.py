"""The HTTP side of jobs."""

from typing import Annotated

from fastapi import APIRouter, Query

from localcloud.dds import jobs, schemas
from localcloud.dds.state import DdsState


def routes(state: DdsState) -> APIRouter:
    """One job of `/v3/{project_id}`, the task list of `/v3.1/{project_id}`."""
    router = APIRouter(tags=["DDS jobs"])
    detail = APIRouter(prefix="/v3/{project_id}")
    tasks = APIRouter(prefix="/v3.1/{project_id}")

    @detail.get("/jobs")
    async def show_job_detail(job_id: Annotated[str, Query(alias="id")]) -> schemas.JobAnswer:
        """One job of the last month. A deletion that has ended is DBS.200543."""
        return jobs.show(state, job_id)

    @tasks.get("/jobs")
    async def list_tasks(
        start_time: Annotated[str, Query(examples=["2024-01-01T00:00:00+0000"])],
        end_time: Annotated[str, Query(examples=["2024-01-02T00:00:00+0000"])],
        status: Annotated[str | None, Query(json_schema_extra={"enum": ["Running", "Completed", "Failed"]})] = None,
        job_id: Annotated[str | None, Query(alias="id")] = None,
        name: str | None = None,
        offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
    ) -> schemas.Tasks:
        """The jobs of a window of at most 30 days, the newest first."""
        return jobs.tasks(
            state, start_time, end_time, status=status, job_id=job_id, name=name, offset=offset, limit=limit
        )

    router.include_router(detail)
    router.include_router(tasks)
    return router
