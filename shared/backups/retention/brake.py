"""The brake: a plan that would take away more than half of what there is, is more likely a slip than a wish."""

from dataclasses import dataclass

from shared.backups.retention.plan import Fate, InstancePlan, Plan


FEW = 3
"""So many completed backups may always go: after two missed nights `last=1` removes three of an instance's four."""


@dataclass(frozen=True, slots=True)
class Brake:
    """What must not be carried out without force.

    An instance is held back if more than FEW, and more than half, of its completed backups are to go. Everything is, if
    of what is left to go the same is true of all completed backups together. A plan that is not held back is not after
    a part of it was carried out either.

    Attributes:
        instances: the ids of the instances held back.
        everything: whether nothing at all must go.
    """

    instances: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def for_plan(cls, plan: Plan) -> "Brake":
        """Judge a plan; failed backups count on neither side."""
        held_back = {i.instance_id for i in plan.instances if _is_too_much(_going(i), _completed(i))}
        going = sum(_going(instance) for instance in plan.instances if instance.instance_id not in held_back)
        completed = sum(_completed(instance) for instance in plan.instances)
        return cls(frozenset(held_back), everything=_is_too_much(going, completed))

    def holds(self, instance_id: str) -> bool:
        """Whether the backups of an instance must stay."""
        return self.everything or instance_id in self.instances


def _is_too_much(going: int, completed: int) -> bool:
    return going > FEW and going * 2 > completed


def _completed(instance: InstancePlan) -> int:
    return sum(verdict.backup.status == "COMPLETED" for verdict in instance.verdicts)


def _going(instance: InstancePlan) -> int:
    return sum(v.fate is Fate.DELETE and v.backup.status == "COMPLETED" for v in instance.verdicts)
