"""Deleting backups one by one; what an answer leaves open, the list decides."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared.backups.backoff import backoff
from shared.backups.errors import AbsentError, CloudError, ThrottledError
from shared.backups.ports import Backup, Backups
from shared.backups.retention.results import Failure
from shared.backups.retrying import Retrying


_log = logging.getLogger(__name__)

_GONE = frozenset({"DBS.201214", "DBS.201204", "DBS.201502"})  # DDS API, Error Codes: the backup does not exist
_MOST_ROUNDS = 4
_NOT_DONE = frozenset({"out_of_time", "throttled"})
_OUT_OF_TIME = Failure("out_of_time", "the invocation's time was over before this backup's turn", retryable=True)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Deletes backups. A batch call would save calls, but what becomes of the rest if one fails is not documented."""

    backups: Backups
    retrying: Retrying
    concurrency: int

    def delete(self, doomed: Sequence[Backup]) -> dict[str, Failure | None]:
        """Try every one, in this order; returns by backup id why it was not deleted, None if it was.

        Deleted is also what is being deleted or has gone meanwhile. After any error the list says whether that is so;
        what is still there is tried again as long as a retry can help and there is time.
        """
        failures: dict[str, Failure | None] = {}
        open_: Sequence[Backup] = doomed
        for attempt in range(1, _MOST_ROUNDS + 1):
            failures.update(self._try_all(open_))
            in_doubt = [backup for backup in open_ if (f := failures[backup.id]) and f.code not in _NOT_DONE]
            if not in_doubt or (listed := self._look()) is None:
                break
            failures.update((backup.id, None) for backup in in_doubt if _is_going(listed.get(backup.id)))
            open_ = [backup for backup in in_doubt if _may_retry(failures[backup.id], listed.get(backup.id))]
            is_over = not open_ or attempt == _MOST_ROUNDS
            if is_over or not self.retrying.waiting.wait(backoff(attempt, self.retrying.rng, first=2, most=20)):
                break
        return failures

    def _try_all(self, doomed: Iterable[Backup]) -> dict[str, Failure | None]:
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="prune") as pool:
            tried = {backup.id: pool.submit(self._try, backup) for backup in doomed}
        return {backup_id: future.result() for backup_id, future in tried.items()}

    def _try(self, backup: Backup) -> Failure | None:
        waiting, pace = self.retrying.waiting, self.retrying.pace
        last = _OUT_OF_TIME
        while waiting.turn(pace):
            try:
                self.backups.delete(backup.id)
            except ThrottledError as error:
                pace.throttled(error.retry_after)
                last = Failure.of(error)
            except CloudError as error:
                return None if isinstance(error, AbsentError) and error.cloud_code in _GONE else Failure.of(error)
            except Exception as error:  # noqa: BLE001 a fault of this program must not cost the other backups
                _log.exception("internal error", extra={"fields": {"backup_id": backup.id}})
                message = f"{type(error).__name__} in this application; the function's log has the traceback"
                return Failure("internal_error", message, retryable=True)
            else:
                pace.accepted()
                return None
        return last

    def _look(self) -> Mapping[str, Backup] | None:
        """The backups there are, by id; None if DDS does not tell."""
        try:
            listed = self.retrying.call(self.backups.list)
        except CloudError as error:
            _log.warning("backups not listed", extra={"fields": {"code": error.code, "error": str(error)}})
            return None
        return {backup.id: backup for backup in listed}


def _is_going(listed: Backup | None) -> bool:
    """Whether a backup is gone or, DISABLED, being deleted."""
    return listed is None or listed.status == "DISABLED"


def _may_retry(failure: Failure | None, listed: Backup | None) -> bool:
    return bool(failure and failure.retryable and listed and not listed.is_restoring)
