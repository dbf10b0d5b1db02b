"""The one region and project that the local cloud consists of."""

from dataclasses import dataclass

from localcloud.clock import Clock
from localcloud.switches import Switches


@dataclass(slots=True)
class Region:
    """Where everything lives: region id, project and account, its clock, and how the region behaves."""

    id: str
    project_id: str
    domain_id: str
    domain_name: str
    clock: Clock
    switches: Switches
