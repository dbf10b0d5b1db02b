"""Every error this application raises, as one tree.

BackupError                    code                 can a retry help?
|-- SettingsError              invalid_settings     no: a setting has to change
|-- CredentialsError           no_credentials       no: the function has no agency
|-- RequestError
|   |-- UnknownEventError      unknown_event        no
|   |-- InvalidRequestError    invalid_request      no
|   |-- EmptySelectionError    empty_selection      no: the selector matches no instance
|   |-- NotAllowedError        not_allowed          no: ALLOWED_INSTANCES excludes an instance
|   |-- TooManyInstancesError  too_many_instances   no: the event exceeds MAX_INSTANCES
|   `-- UnrestorableError      unrestorable         no: DDS does not tell enough of the source
|-- CloudError                                      an answer of Huawei Cloud, or none
|   |-- InvalidError           invalid              no
|   |-- DeniedError            denied               no
|   |-- AbsentError            not_found            no
|   |-- ExistsError            already_exists       no
|   |-- BusyError              busy                 yes, when the other operation is over
|   |-- ThrottledError         throttled            yes, more slowly
|   |-- TransientError         unavailable          yes: nothing was done
|   `-- AmbiguousError         outcome_unknown      yes, after looking whether it was done
`-- UnfinishedEventError       unfinished           yes: a redelivery finishes the event
"""

from collections.abc import Sequence
from typing import ClassVar

from shared.format import plain


class BackupError(Exception):
    """Base class of every error that this application raises on purpose.

    Attributes:
        code: stable name of the error for programs; never changes between releases.
        retryable: whether the same attempt can succeed later without anybody changing anything.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class SettingsError(BackupError):
    """One or more settings of the function are wrong. The message names all of them."""

    code = "invalid_settings"


class CredentialsError(BackupError):
    """The context holds no temporary credentials. FunctionGraph takes them from the function's agency."""

    code = "no_credentials"


class RequestError(BackupError):
    """The message can never become a backup, however often it is delivered.

    Attributes:
        errors: every fault found, one line each, in the terms of the author of the message. What was quoted from it
            has no control, format or bidi characters.
    """

    def __init__(self, errors: Sequence[str]) -> None:
        self.errors = tuple(map(plain, errors))
        super().__init__("; ".join(self.errors))


class UnknownEventError(RequestError):
    """The event does not come from a trigger that this application knows."""

    code = "unknown_event"


class InvalidRequestError(RequestError):
    """The trigger is known, but its payload is not a valid request."""

    code = "invalid_request"


class EmptySelectionError(RequestError):
    """The selector matches no instance of the project."""

    code = "empty_selection"


class NotAllowedError(RequestError):
    """The request names an instance that ALLOWED_INSTANCES excludes."""

    code = "not_allowed"


class TooManyInstancesError(RequestError):
    """The event names or selects more instances than MAX_INSTANCES."""

    code = "too_many_instances"


class UnrestorableError(RequestError):
    """No new instance can be planned, since DDS does not tell enough of the source."""

    code = "unrestorable"


class CloudError(BackupError):
    """Huawei Cloud refused a call, failed to carry it out, or did not answer.

    Attributes:
        cloud_code: the service's own code, such as "DBS.200019"; None if there was no answer.
        status: HTTP status of the answer; None if there was no answer.
        request_id: the service's X-Request-Id, for a support ticket.
        retry_after: seconds that the service asked to wait, if it did.
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
    """The service rejects the request as wrong. Sending it again does not help."""

    code = "invalid"


class DeniedError(CloudError):
    """The credentials do not allow the call, or the account is suspended."""

    code = "denied"


class AbsentError(CloudError):
    """The instance, backup or topic does not exist."""

    code = "not_found"


class ExistsError(CloudError):
    """A backup with this name already exists (DBS.201201)."""

    code = "already_exists"


class BusyError(CloudError):
    """The instance is in another operation, or in a state that does not allow this one."""

    code = "busy"
    retryable = True


class ThrottledError(CloudError):
    """Too many calls in too short a time. The service refused this one before doing anything."""

    code = "throttled"
    retryable = True


class TransientError(CloudError):
    """The call failed before anything was done, or it only reads."""

    code = "unavailable"
    retryable = True


class AmbiguousError(CloudError):
    """The call may or may not have been carried out: there was no answer, or none that can be understood."""

    code = "outcome_unknown"
    retryable = True


class UnfinishedEventError(BackupError):
    """A redelivery of the event can finish what is left.

    Raised only after every instance was tried, and only for asynchronous triggers: an exception is what makes
    FunctionGraph deliver the event again (FunctionGraph, Asynchronous Invocation).
    """

    code = "unfinished"
    retryable = True
