"""What the operator of the function allows and prefers, as far as it concerns one instance."""

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

from shared.backups.outcomes import InstanceResult, Outcome
from shared.backups.requests import has_documented_shape


class OnBusy(str, Enum):
    """What to do about an instance in another operation: wait while the deadline allows, skip it, or fail it."""

    WAIT = "wait"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CreationPolicy:
    """The rules for one instance.

    Attributes:
        settling_time: seconds after which a backup that DDS does not list was not made.
        allowed: patterns of instance ids (``*``, ``?``, ``[...]``); any other instance is refused.
        strict_instance_ids: whether an id of another shape than the documents show is refused instead of warned of.
    """

    on_busy: OnBusy = OnBusy.WAIT
    settling_time: float = 10.0
    allowed: tuple[str, ...] = ("*",)
    strict_instance_ids: bool = False

    def refuse(self, instance_id: str) -> InstanceResult | None:
        """FAILED for an instance that must not be touched, before any call; None for one that may."""
        if not any(fnmatchcase(instance_id, pattern) for pattern in self.allowed):
            message = f"ALLOWED_INSTANCES does not include this instance; it allows {', '.join(self.allowed)}"
            return InstanceResult(instance_id, Outcome.FAILED, code="not_allowed", message=message)
        if self.strict_instance_ids and not has_documented_shape(instance_id):
            message = "an instance id is 32 hexadecimal digits, 'in' and two digits (STRICT_INSTANCE_IDS is on)"
            return InstanceResult(instance_id, Outcome.FAILED, code="invalid_instance_id", message=message)
        return None

    def warnings(self, instance_id: str) -> tuple[str, ...]:
        """What is odd about an instance id but stops nothing."""
        if has_documented_shape(instance_id):
            return ()
        return ("unusual instance id: the documents show 32 hexadecimal digits, 'in' and two digits",)
