"""How many backups a run may delete: MAX_DELETES a day, less what is known to have been deleted in the last day.

The application stores nothing, so the day's deletions are counted where DDS shows them: in the list of backups while a
deletion runs, and in the task list. The documents do not say whether the task list has deletions. It can only lower the
limit further, and a task list that is silent or cannot be read is no failure.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from shared.errors import CloudError
from shared.identity import key_of
from shared.model import Backup, Jobs
from shared.retry import Retrying


_log = logging.getLogger(__name__)

_DAY = timedelta(days=1)
_PATIENCE = 15.0  # seconds that a run waits for the task list


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many backups one run may delete, and the deletions that it counted.

    The counts overlap, and each may miss some, so the largest of them decides.

    Attributes:
        max_deletes: MAX_DELETES of the settings.
        being_deleted: backups of this application that are being deleted now (DISABLED), of whatever instance.
        in_task_list: deletions of the last 24 hours in the task list; None if it could not be read.
        in_invocation: what the earlier requests of this invocation counted and deleted.
    """

    max_deletes: int
    being_deleted: int = 0
    in_task_list: int | None = 0
    in_invocation: int = 0

    @property
    def counted(self) -> int:
        """How many deletions count as today's."""
        return max(self.being_deleted, self.in_task_list or 0, self.in_invocation)

    @property
    def allowed(self) -> int:
        """How many backups the run may delete."""
        return max(0, self.max_deletes - self.counted)


class DailyLimit:
    """MAX_DELETES for all requests of one invocation, which reads the task list at most once.

    `allows` tells which instances the function may touch: deletions of others do not count.
    """

    def __init__(self, max_deletes: int, jobs: Jobs, retrying: Retrying, allows: Callable[[str], bool]) -> None:
        self._max_deletes = max_deletes
        self._jobs = jobs
        self._retrying = retrying
        self._allows = allows
        self._spent = 0

    def allowance(self, listed: Sequence[Backup]) -> Allowance:
        """Count the deletions of the last day; `listed` are all backups that the function may see."""
        being_deleted = sum(backup.status == "DISABLED" and key_of(backup.description) is not None for backup in listed)
        return Allowance(self._max_deletes, being_deleted, self._in_task_list, self._spent)

    def spend(self, allowance: Allowance, deleted: int) -> None:
        """Note what a run counted and deleted, for the next request of the invocation."""
        self._spent = max(self._spent, allowance.counted + deleted)

    @cached_property
    def _in_task_list(self) -> int | None:
        retrying = self._retrying.within(_PATIENCE)
        now = retrying.deadline.clock.now()
        try:
            found = retrying.call(
                lambda: self._jobs.deleting_between(now - _DAY, now, patience=retrying.deadline.left())
            )
        except CloudError as error:
            _log.warning("task list not read", extra={"fields": {"code": error.code, "error": str(error)}})
            return None
        return sum(self._allows(job.instance_id) for job in found)
