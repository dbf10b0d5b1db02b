"""The brake: a plan that would take away more than half of what there is, is more likely a slip than a wish."""

from dataclasses import dataclass

from shared.backups.retention.plan import Fate, InstancePlan, Plan


FEW = 3
"""So many completed backups of an instance may always go: after a few missed nights `last=1` removes three of four."""


@dataclass(frozen=True, slots=True)
class Brake:
    """What must not be carried out without force.

    An instance is held back if more than FEW of its completed backups are to go, and more than half of them. Everything
    is, if the completed backups that are to go of instances that lose more than FEW make more than half of all.

    Attributes:
        instances: the ids of the instances held back.
        everything: whether nothing at all must go.
    """

    instances: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def for_plan(cls, plan: Plan) -> "Brake":
        """Judge a plan; failed backups count on neither side."""
        held_back: set[str] = set()
        all_completed = all_going = 0
        for instance in plan.instances:
            completed, going = _completed(instance), _going(instance)
            all_completed += completed
            if going > FEW:
                all_going += going
                if going * 2 > completed:
                    held_back.add(instance.instance_id)
        return cls(frozenset(held_back), everything=all_going * 2 > all_completed)

    def holds(self, instance_id: str) -> bool:
        """Whether the backups of an instance must stay."""
        return self.everything or instance_id in self.instances


def _completed(instance: InstancePlan) -> int:
    return sum(verdict.backup.status == "COMPLETED" for verdict in instance.verdicts)


def _going(instance: InstancePlan) -> int:
    return sum(v.fate is Fate.DELETE and v.backup.status == "COMPLETED" for v in instance.verdicts)
