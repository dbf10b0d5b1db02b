"""`/_local`: clock, switches, reset."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from localcloud.clock import text
from localcloud.cloud import Cloud
from localcloud.strict import Strict
from localcloud.switches import Switches


class Advance(Strict):
    """Seconds to move the clock forward."""

    advance: Annotated[float, Field(ge=0, le=10 * 365 * 86_400, allow_inf_nan=False, examples=[600])]


class Time(BaseModel):
    """The local cloud's present, and by how many seconds it is ahead of the wall clock."""

    now: str
    offset: float


def routes(cloud: Cloud) -> APIRouter:
    """What can be changed; none of it needs authentication."""
    router = APIRouter(prefix="/_local", tags=["inside the local cloud"])

    @router.get("/clock")
    async def show_clock() -> Time:
        """The local time."""
        return _time(cloud)

    @router.post("/clock")
    async def move_clock(body: Advance) -> Time:
        """Move the clock forward."""
        cloud.advance(body.advance)
        return _time(cloud)

    @router.post("/reset")
    async def reset() -> Time:
        """Put everything back to the seed; the credentials stay the same."""
        cloud.reset()
        return _time(cloud)

    @router.get("/switches")
    async def show_switches() -> Switches:
        """What differs from region to region."""
        return cloud.region.switches

    @router.patch("/switches")
    async def change_switches(body: Switches) -> Switches:
        """Change switches; what is left out stays."""
        return cloud.switch(body.model_dump(exclude_unset=True))

    return router


def _time(cloud: Cloud) -> Time:
    clock = cloud.region.clock
    return Time(now=text(clock.now()), offset=clock.offset)
