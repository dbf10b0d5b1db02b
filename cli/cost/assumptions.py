"""What the documents and the template do not tell, and somebody has to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


CALLS_A_MINUTE = 60
"""Nothing is documented for DDS; of RDS and DDM, its siblings, this is what one user may make."""

FREE_REQUESTS = 1_000_000
FREE_GB_SECONDS = 400_000
"""Free each month (FunctionGraph, Billing, Billing Items, international site). The European site names none."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the cost is computed for.

    Attributes:
        instances: DDS instances of the project, each of which every event of create_backup backs up.
        events: events a month of each trigger that is no timer.
        call_seconds: how long an API call takes.
        cold_start: seconds until the handler begins: billed, since there is an initializer (FunctionGraph User Guide,
            Configuring Initialization). Every invocation is taken for a cold one.
        calls_a_minute: how many calls of DDS are let through.
        memory: MB in place of the template's, by function; "" stands for every function.
        duration: measured seconds of an invocation in place of the estimate, likewise.
        kept: backups that each instance has at a time; None takes what RETENTION keeps in the long run.
    """

    now: datetime
    instances: int = 1
    events: float = 0.0
    call_seconds: float = 0.2
    cold_start: float = 1.0
    calls_a_minute: int = CALLS_A_MINUTE
    memory: Mapping[str, float] = field(default_factory=dict)
    duration: Mapping[str, float] = field(default_factory=dict)
    kept: int | None = None

    def given(self, values: Mapping[str, float], function: str) -> float | None:
        """Return what was given for a function, else for every function, else None."""
        return values.get(function, values.get(""))
