"""From a selector to instances: the project's instances, listed once for the whole event."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from shared.backups.errors import EmptySelectionError
from shared.backups.outcomes import InstanceResult, Outcome
from shared.backups.ports import Instance, Instances
from shared.backups.retrying import Retrying
from shared.backups.selection import Selector


@dataclass(frozen=True, slots=True)
class Selection:
    """What a selector chose.

    Attributes:
        instances: the ids to be backed up.
        skipped: those chosen that cannot be, with the reason: only a normal instance can be backed up (DDS API,
            Creating a Manual Backup; user guide, Creating a Manual Backup, prerequisites).
    """

    instances: tuple[str, ...]
    skipped: tuple[InstanceResult, ...]


class Fleet:
    """The instances of the project."""

    def __init__(self, instances: Instances, retrying: Retrying) -> None:
        self._instances = instances
        self._retrying = retrying
        self._lock = threading.Lock()
        self._listed: Sequence[Instance] | None = None

    def select(self, selector: Selector) -> Selection:
        """The instances that a selector chooses, in the order of their ids.

        Raises:
            EmptySelectionError: it chooses none.
            CloudError: the instances cannot be listed.
        """
        chosen = selector.choose(self._list())
        if not chosen:
            message = f"select: none of the project's {len(self._list())} instances meets it"
            raise EmptySelectionError([message])
        return Selection(
            tuple(instance.id for instance in chosen if instance.status == "normal"),
            tuple(_skip(instance) for instance in chosen if instance.status != "normal"),
        )

    def _list(self) -> Sequence[Instance]:
        with self._lock:
            if self._listed is None:
                self._listed = self._retrying.call(self._instances.list)
            return self._listed


def _skip(instance: Instance) -> InstanceResult:
    message = f"the instance {instance.name} is {instance.status}; only a normal one can be backed up"
    return InstanceResult(instance.id, Outcome.SKIPPED, code="instance_status", message=message)
