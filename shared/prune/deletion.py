"""Deletes backups one by one. Where an answer leaves the outcome open, the backup list decides."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from shared.errors import AbsentError, BackupError, CloudError
from shared.model import Backup, Backups
from shared.retry import Retrying, backoff


_log = logging.getLogger(__name__)

_GONE = frozenset({"DBS.201214", "DBS.201204", "DBS.201502"})  # DDS API, Error Codes: the backup does not exist
_MOST_ROUNDS = 4
_NOT_TRIED = frozenset({"out_of_time", "throttled"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done.

    Attributes:
        code: stable reason for programs.
        retryable: whether another run can succeed without anybody changing anything.
    """

    code: str
    message: str
    retryable: bool
    cloud_code: str | None = None

    @classmethod
    def of(cls, error: BackupError) -> "Failure":
        """From an error of the tree."""
        return cls(error.code, str(error), error.retryable, error.cloud_code if isinstance(error, CloudError) else None)

    def document(self) -> dict[str, Any]:
        """Serialize the failure."""
        facts = {"code": self.code, "message": self.message, "retryable": self.retryable}
        return facts | ({"cloud_code": self.cloud_code} if self.cloud_code else {})


_OUT_OF_TIME = Failure("out_of_time", "the invocation's time was over before this backup's turn", retryable=True)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Deletes backups one call each: what a batch call does if one deletion fails is not documented."""

    backups: Backups
    retrying: Retrying
    concurrency: int

    def delete(self, doomed: Sequence[Backup]) -> dict[str, Failure | None]:
        """Try to delete every backup, in this order. Returns the failures by backup id, None for a deleted backup.

        A backup also counts as deleted if it is DISABLED or no longer listed. After an error the list shows whether
        that is so. What is still there is tried again while a retry can help and there is time.
        """
        failures: dict[str, Failure | None] = {}
        remaining: Sequence[Backup] = doomed
        for attempt in range(1, _MOST_ROUNDS + 1):
            failures.update(self._try_all(remaining))
            in_doubt = [backup for backup in remaining if (f := failures[backup.id]) and f.code not in _NOT_TRIED]
            if not in_doubt or (listed := self._list()) is None:
                break
            failures.update((backup.id, None) for backup in in_doubt if _is_deleted(listed.get(backup.id)))
            remaining = [backup for backup in in_doubt if _may_retry(failures[backup.id], listed.get(backup.id))]
            is_last = not remaining or attempt == _MOST_ROUNDS
            delay = backoff(attempt, self.retrying.rng, first=2, most=20)
            if is_last or not self.retrying.deadline.sleep(delay):
                break
        return failures

    def _try_all(self, doomed: Iterable[Backup]) -> dict[str, Failure | None]:
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="prune") as pool:
            tried = {backup.id: pool.submit(self._try, backup) for backup in doomed}
        return {backup_id: future.result() for backup_id, future in tried.items()}

    def _try(self, backup: Backup) -> Failure | None:
        """Delete one backup with one try; a throttled call was not carried out and does not count."""
        if self.retrying.deadline.left() <= 0:
            return _OUT_OF_TIME
        try:
            self.retrying.call(lambda: self.backups.delete(backup.id), tries=1)
        except CloudError as error:
            return None if isinstance(error, AbsentError) and error.cloud_code in _GONE else Failure.of(error)
        except Exception as error:  # noqa: BLE001 a fault of this program must not affect the other backups
            _log.exception("internal error", extra={"fields": {"backup_id": backup.id}})
            message = f"{type(error).__name__} in this application; the function's log has the traceback"
            return Failure("internal_error", message, retryable=True)
        return None

    def _list(self) -> Mapping[str, Backup] | None:
        """List the backups by id; None if DDS does not answer.

        The list is complete even if backups vanish while it is read, so a backup that is not in it is gone.
        """
        try:
            listed = self.retrying.call(self.backups.list)
        except CloudError as error:
            _log.warning("backups not listed", extra={"fields": {"code": error.code, "error": str(error)}})
            return None
        return {backup.id: backup for backup in listed}


def _is_deleted(listed: Backup | None) -> bool:
    """Whether a backup is gone or, DISABLED, being deleted."""
    return listed is None or listed.status == "DISABLED"


def _may_retry(failure: Failure | None, listed: Backup | None) -> bool:
    return bool(failure and failure.retryable and listed and not listed.is_restoring)
