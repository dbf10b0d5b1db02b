"""One service through its SDK client: whatever comes out of it ends here, as an answer or as an error of our tree."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import (
    ConnectionException,
    HostUnreachableException,
    ServiceResponseException,
    SslHandShakeException,
)
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.http.http_handler import HttpHandler
from requests import Session
from requests.exceptions import ConnectTimeout, ProxyError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.backups.errors import AmbiguousError, CloudError, TransientError
from shared.backups.ports import Clock
from shared.cloud.credentials import Credentials
from shared.cloud.error_table import classify, is_forbidden
from shared.cloud.operations import Operation


_SHORTEST_TIMEOUT = 0.1
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How a service is called: seconds to connect and to answer, which what is left of the invocation shortens.

    Attributes:
        connections: how many are kept open; as many as there are threads that call.
    """

    connect: float = 3.0
    read: float = 20.0
    connections: int = 8


class SdkService:
    """A service's SDK client for the life of the function's instance, renewed for each invocation.

    The SDK's own retries are off: it would repeat calls without looking whether they were carried out.
    """

    def __init__(self, client: Any, endpoint: str, project_id: str, limits: HttpLimits, clock: Clock) -> None:
        """`client` is the SDK's client class, `endpoint` an http(s) URL without a path."""
        self._clock = clock
        proxies, ca_bundle = _read_environment(endpoint)
        self._config = _DeadlineHttpConfig(limits, ca_bundle)
        self._answer = threading.local()
        self._credentials: Credentials | None = None
        handler = HttpHandler().add_response_handler(self._note_retry_after)
        nobody = BasicCredentials("none", "none", project_id)  # replaced by `renew` before the first call
        builder = client.new_builder().with_http_config(self._config).with_http_handler(handler)
        self._client: Any = builder.with_credentials(nobody).with_endpoints([endpoint]).build()
        # The SDK would look for proxies, and for a .netrc, which would take the place of the signature, at each call.
        session = self._client._http_client._session  # noqa: SLF001 there is no other way to it
        session.trust_env, session.proxies = False, proxies

    def renew(self, credentials: Credentials, left: Callable[[], float]) -> None:
        """Take the credentials of this invocation, and `left`, which tells the seconds that a call may take."""
        self._credentials = credentials
        self._config.left = left
        self._client.with_credentials(credentials.for_sdk())

    def call(self, operation: Operation, request: Any) -> Any:
        """Call an operation with the SDK's request for it.

        Raises:
            CloudError: of the kind that the error table says; AmbiguousError only for a call that writes.
        """
        self._answer.retry_after = None
        try:
            return getattr(self._client, operation.method)(request)
        except ServiceResponseException as error:
            raise self._service_error(error, operation) from error
        except Exception as error:
            nothing_done = not operation.writes or _never_sent(error)
            kind = TransientError if nothing_done else AmbiguousError
            raise kind(self.redact(f"no usable answer: {type(error).__name__}: {error}")) from error

    def wait(self, seconds: float) -> bool:
        """Wait if that much time is left for calls; False, at once, if it is not."""
        if seconds > self._config.left():
            return False
        self._clock.sleep(seconds)
        return True

    def redact(self, text: str) -> str:
        """`text` short enough for a message and without secrets."""
        clean = self._credentials.redact(text) if self._credentials else text
        return clean if len(clean) <= _LONGEST_MESSAGE else f"{clean[:_LONGEST_MESSAGE]}..."

    def _service_error(self, error: Any, operation: Operation) -> CloudError:
        # Without a code in the answer the SDK takes the status for one.
        code = str(error.error_code) if str(error.error_code) != str(error.status_code) else None
        denied = f" (IAM has to allow {operation.action})" if is_forbidden(error.status_code, code) else ""
        return classify(error.status_code, code, writes=operation.writes)(
            self.redact(f"{code or 'no code'} (HTTP {error.status_code}): {error.error_msg}") + denied,
            cloud_code=code,
            status=error.status_code,
            request_id=error.request_id,
            retry_after=self._answer.retry_after,
        )

    def _note_retry_after(self, **facts: Any) -> None:
        # The SDK's exceptions do not carry headers; this runs in the thread of the call, before they are raised. Of a
        # GET that is throttled nothing can be noted: urllib3, as the SDK sets it up, raises before it comes to this.
        value = str(facts["response"].headers.get("Retry-After", ""))
        self._answer.retry_after = float(value) if value.isdecimal() else None


class _DeadlineHttpConfig(HttpConfig):  # type: ignore[misc]  # the SDK has no types
    """An HttpConfig whose timeout, which the SDK reads anew for every call, never outlasts the invocation."""

    def __init__(self, limits: HttpLimits, ca_bundle: str | None) -> None:
        self._limits = limits
        self.left: Callable[[], float] = lambda: float("inf")
        super().__init__(retry_times=0, pool_maxsize=limits.connections, ssl_ca_cert=ca_bundle)

    @property
    def timeout(self) -> tuple[float, float]:
        left = max(self.left(), _SHORTEST_TIMEOUT)
        return min(self._limits.connect, left), min(self._limits.read, left)

    @timeout.setter
    def timeout(self, value: object) -> None:
        """Ignored: HttpConfig's constructor sets a default."""


def _read_environment(endpoint: str) -> tuple[dict[str, str], str | None]:
    """The proxies for an endpoint and the file of certificate authorities, if the environment names any."""
    settings = Session().merge_environment_settings(endpoint, {}, None, None, None)
    verify = settings["verify"]
    return dict(settings["proxies"]), verify if isinstance(verify, str) else None


def _never_sent(error: BaseException) -> bool:
    """Whether the request surely did not reach the service: no connection to it was ever made."""
    if isinstance(error, (HostUnreachableException, SslHandShakeException)):
        return True
    cause = error.__context__
    if not isinstance(error, ConnectionException) or cause is None:
        return False
    reason = getattr(cause.args[0], "reason", None) if cause.args else None
    return isinstance(cause, (ConnectTimeout, ProxyError)) or isinstance(
        reason, (NewConnectionError, ConnectTimeoutError)
    )
