"""The recycle bin (DDS user manual, Recycling a DB Instance): deleted instances, kept for a few days.

It holds 100 instances. While it is full, deletions are for good. Nothing that is in it can be taken out before its
time. The console rebuilds an instance from it; no call for that is documented, so there is none here.
"""

import uuid
from dataclasses import dataclass

from localcloud.dds.model import DAY, Instance
from localcloud.dds.specification import Mode
from localcloud.store import Store


PLACES = 100
DAYS = 7
_NAMESPACE = uuid.UUID("b1d9e6a4-5d3f-5f52-9a4e-7c2c6a0f7d11")


@dataclass(frozen=True, slots=True)
class RecycledInstance:
    """A deleted instance. `backup_id` is the backup to rebuild it from, which no other call knows."""

    id: str
    name: str
    mode: Mode
    version: str
    pay_mode: str
    enterprise_project_id: str
    backup_id: str
    created: float
    deleted: float
    retained_until: float


@dataclass(frozen=True, slots=True)
class RecyclePolicy:
    """How many days instances are kept that are deleted from now on."""

    id: str
    days: int


class RecycleBin:
    """The deleted instances, and the policy of the project."""

    def __init__(self, store: Store) -> None:
        self._recycled = store.table("recycled_instance", RecycledInstance)
        self._policies = store.table("recycle_policy", RecyclePolicy)

    @property
    def days(self) -> int:
        """For how many days an instance is kept."""
        policy = self._policies.get("policy")
        return DAYS if policy is None else policy.days

    def keep_for(self, days: int) -> None:
        """Keep the instances that are deleted from now on for a number of days. The others stay as long as before."""
        self._policies.put(RecyclePolicy("policy", days))

    def at(self, now: float) -> list[RecycledInstance]:
        """The instances in the bin at `now`, the last deleted first."""
        found = [one for one in self._recycled if one.deleted <= now < one.retained_until]
        return sorted(found, key=lambda one: one.deleted, reverse=True)

    def put(self, instance: Instance, deleted: float) -> None:
        """Put a deleted instance into the bin, unless it is full."""
        if len(self.at(deleted)) >= PLACES:
            return
        self._recycled.put(
            RecycledInstance(
                id=instance.id,
                name=instance.name,
                mode=instance.mode,
                version=instance.version,
                pay_mode=instance.spec.pay_mode,
                enterprise_project_id=instance.enterprise_project_id,
                backup_id=f"{uuid.uuid5(_NAMESPACE, instance.id).hex}br02",
                created=instance.created,
                deleted=deleted,
                retained_until=deleted + self.days * DAY,
            )
        )

    def clear(self) -> None:
        """Empty the bin, and go back to the usual policy."""
        self._recycled.clear()
        self._policies.clear()
