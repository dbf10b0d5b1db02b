"""Calls a service through its SDK client. Whatever the SDK raises becomes an error of our tree here."""

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
from huaweicloudsdkdds.v3 import DdsClient
from huaweicloudsdksmn.v2 import SmnClient
from requests import Session
from requests.exceptions import ConnectTimeout, ProxyError
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.cloud.credentials import Credentials
from shared.cloud.error_table import classify, is_forbidden
from shared.cloud.operations import Operation
from shared.errors import AmbiguousError, CloudError, TransientError
from shared.retry import Retrying


_SHORTEST_TIMEOUT = 0.1
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Timeouts in seconds, which the deadline of the invocation shortens, and the size of the connection pool.

    Attributes:
        connect: to make a connection.
        read: to receive an answer.
        connections: connections kept open; as many as there are worker threads.
    """

    connect: float = 3.0
    read: float = 20.0
    connections: int = 8


class SdkService:
    """The SDK client of one service. It lives as long as the function's instance and is renewed for each invocation.

    The SDK's own retries are off, since it repeats calls without looking whether they were carried out.

    Attributes:
        retrying: how calls are repeated in this invocation; set by `renew`.
    """

    retrying: Retrying

    def __init__(self, client: Any, endpoint: str, project_id: str, limits: HttpLimits) -> None:
        """`client` is the SDK's client class, `endpoint` an http(s) URL without a path."""
        proxies, ca_bundle = _read_environment(endpoint)
        self._config = _DeadlineHttpConfig(limits, ca_bundle)
        self._answer = threading.local()
        self._credentials: Credentials | None = None
        handler = HttpHandler().add_response_handler(self._note_retry_after)
        nobody = BasicCredentials("none", "none", project_id)  # replaced by `renew` before the first call
        builder = client.new_builder().with_http_config(self._config).with_http_handler(handler)
        self._client: Any = builder.with_credentials(nobody).with_endpoints([endpoint]).build()
        # At each call the SDK would look for proxies, and for a .netrc, which would replace the signature.
        session = self._client._http_client._session  # noqa: SLF001 there is no public way to it
        session.trust_env, session.proxies = False, proxies

    @classmethod
    def dds(cls, endpoint: str, project_id: str, limits: HttpLimits) -> "SdkService":
        """Document Database Service."""
        return cls(DdsClient, endpoint, project_id, limits)

    @classmethod
    def smn(cls, endpoint: str, project_id: str, limits: HttpLimits) -> "SdkService":
        """Simple Message Notification."""
        return cls(SmnClient, endpoint, project_id, limits)

    def renew(self, credentials: Credentials, retrying: Retrying) -> None:
        """Use the credentials and the deadline of this invocation."""
        self.retrying = retrying
        self._credentials = credentials
        self._config.left = retrying.deadline.left
        self._client.with_credentials(credentials.for_sdk())

    def call(self, operation: Operation, request: Any) -> Any:
        """Call an operation once, with the SDK's request for it.

        Raises:
            CloudError: the class comes from the error table; AmbiguousError only for a call that writes.
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

    def redact(self, text: str) -> str:
        """Remove secrets from `text`, and cut it to the length of a message."""
        clean = self._credentials.redact(text) if self._credentials else text
        return clean if len(clean) <= _LONGEST_MESSAGE else f"{clean[:_LONGEST_MESSAGE]}..."

    def _service_error(self, error: Any, operation: Operation) -> CloudError:
        # If the answer has no code, the SDK puts the status in its place.
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
        # The SDK's exceptions carry no headers. This handler runs in the thread of the call before they are raised, but
        # not for a throttled GET: urllib3, as the SDK configures it, raises first.
        value = str(facts["response"].headers.get("Retry-After", ""))
        self._answer.retry_after = float(value) if value.isdecimal() else None


class _DeadlineHttpConfig(HttpConfig):  # type: ignore[misc]  # the SDK has no types
    """An HttpConfig whose timeout never outlasts the invocation. The SDK reads the timeout before every call."""

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
        """Ignore the default that HttpConfig's constructor sets."""


def _read_environment(endpoint: str) -> tuple[dict[str, str], str | None]:
    """Return the proxies for an endpoint and the CA bundle, if the environment names one."""
    settings = Session().merge_environment_settings(endpoint, {}, None, None, None)
    verify = settings["verify"]
    return dict(settings["proxies"]), verify if isinstance(verify, str) else None


def _never_sent(error: BaseException) -> bool:
    """Whether no connection was made, so that the request cannot have reached the service."""
    if isinstance(error, (HostUnreachableException, SslHandShakeException)):
        return True
    cause = error.__context__
    if not isinstance(error, ConnectionException) or cause is None:
        return False
    reason = getattr(cause.args[0], "reason", None) if cause.args else None
    return isinstance(cause, (ConnectTimeout, ProxyError)) or isinstance(
        reason, (NewConnectionError, ConnectTimeoutError)
    )
