"""Everything this application raises, as one tree.

BackupError                    code                 can a retry help?
|-- SettingsError              invalid_settings     no: somebody must change a setting
|-- CredentialsError           no_credentials       no: the function has no agency
|-- RequestError
|   |-- UnknownEventError      unknown_event        no
|   |-- InvalidRequestError    invalid_request      no
|   `-- EmptySelectionError    empty_selection      no: the selector chooses no instance
|-- CloudError                                      what Huawei Cloud answered, or did not
|   |-- InvalidError           invalid              no
|   |-- DeniedError            denied               no
|   |-- AbsentError            not_found            no
|   |-- ExistsError            already_exists       no
|   |-- BusyError              busy                 yes, when the other operation is over
|   |-- ThrottledError         throttled            yes, more slowly
|   |-- TransientError         unavailable          yes: nothing was done
|   `-- AmbiguousError         outcome_unknown      yes, after looking whether it was done
`-- UnfinishedEventError       unfinished           yes: delivering the event again finishes it
"""

from collections.abc import Sequence
from typing import ClassVar


class BackupError(Exception):
    """The root: whatever this application raises on purpose is one of these.

    Attributes:
        code: stable name of the error, for programs; never changes between releases.
        retryable: whether the same attempt can succeed later without anybody changing anything.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class SettingsError(BackupError):
    """One or more settings of the function are wrong; the message names every one of them."""

    code = "invalid_settings"


class CredentialsError(BackupError):
    """The context holds no temporary credentials, which FunctionGraph takes from the function's agency."""

    code = "no_credentials"


class RequestError(BackupError):
    """What arrived can never become a backup, however often it is delivered.

    Attributes:
        errors: every fault found, one line each, in the terms of whoever wrote the event.
    """

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = tuple(errors)


class UnknownEventError(RequestError):
    """The event is of no kind that this application takes."""

    code = "unknown_event"


class InvalidRequestError(RequestError):
    """The trigger is known, but what it carries is no valid request."""

    code = "invalid_request"


class EmptySelectionError(RequestError):
    """The selector of the request chooses no instance of the project: a slip of the pen, or nothing is left."""

    code = "empty_selection"


class CloudError(BackupError):
    """Huawei Cloud refused a call, failed at it, or did not answer.

    Attributes:
        cloud_code: the service's own code, such as "DBS.200019"; None when no answer came.
        status: HTTP status of the answer; None when none came.
        request_id: the service's X-Request-Id, for a support ticket.
        retry_after: seconds the service asked to wait, if it said so.
    """

    code = "cloud_error"

    def __init__(
        self,
        message: str,
        *,
        cloud_code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.cloud_code = cloud_code
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after


class InvalidError(CloudError):
    """The service calls the request wrong; sent again, it is wrong again."""

    code = "invalid"


class DeniedError(CloudError):
    """The credentials may not do this, or the account is suspended."""

    code = "denied"


class AbsentError(CloudError):
    """The instance, backup or topic does not exist."""

    code = "not_found"


class ExistsError(CloudError):
    """A backup of that name exists already (DBS.201201)."""

    code = "already_exists"


class BusyError(CloudError):
    """The instance is in another operation or in a state that does not allow this one."""

    code = "busy"
    retryable = True


class ThrottledError(CloudError):
    """Too many calls in too short a time; this one was refused before anything was done."""

    code = "throttled"
    retryable = True


class TransientError(CloudError):
    """The call failed before anything was done, or it only reads."""

    code = "unavailable"
    retryable = True


class AmbiguousError(CloudError):
    """The call may or may not have been carried out: no answer came, or none that can be understood."""

    code = "outcome_unknown"
    retryable = True


class UnfinishedEventError(BackupError):
    """Something of the event is left that a redelivery can finish.

    Raised only after every instance was tried, and only for asynchronous triggers: an exception is what makes
    FunctionGraph deliver the event again (reference: FunctionGraph, asynchronous invocation).
    """

    code = "unfinished"
    retryable = True
