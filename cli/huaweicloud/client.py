"""A service's SDK client. Every call returns decoded JSON or raises ServiceError, whatever the SDK does."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import click
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import RetryOutageException, ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.http.http_handler import HttpHandler
from requests import Session

from cli.json_value import JsonObject


CONNECT, READ = 5.0, 120.0
"""Timeouts in seconds. FunctionGraph stores an uploaded package of tens of MB before it responds."""

PAUSES = (2.0, 5.0, 15.0, 40.0)
"""Seconds before each retry. Together they exceed a minute, the period of an API gateway's rate limits."""

REPEATABLE = ("list_", "show_", "keystone_list_", "check_", "create_resource_tag")
"""Methods that are retried after any error: they only read, or their API page calls them idempotent."""

LONGEST_MESSAGE = 500

ADVICE = {
    400: "the service rejects the request: see the message",
    401: "check the keys, the security token (temporary keys expire) and the clock of this machine; ddsbackup doctor "
    "tells which of them is wrong",
    403: "the user of the keys lacks the permission for this call: ask an administrator to grant it in IAM",
    404: "check --region and the project",
    409: "something with that name exists already or is being changed: look at it in the console, then run again",
    429: "too many calls: wait a minute, then run again",
}
"""What to do, by HTTP status. Any other status is a failure of the service."""

NO_PERMISSION = (
    "the function's agency lacks a permission, or was granted it moments ago: wait some minutes, then run again"
)
ADVICE_BY_CODE = {
    "FSS.1036": "correct VpcId in the template: it is the ID of a VPC in this region and project",
    "FSS.1037": "correct SubnetId in the template: it is the network ID of a subnet of that VPC",
    "FSS.1047": "put the functions of the account into fewer VPCs",
    "FSS.1048": "put the functions of the project into fewer subnets",
    "FSS.1114": "write the VPC and subnet of the Kafka instance into VpcConfig",
    "FSS.1115": "allow the function's subnet in the security group of the Kafka instance",
    "FSS.1121": NO_PERMISSION,
    "FSS.1122": NO_PERMISSION,
}
"""What to do where the status alone would mislead (FunctionGraph API, Error Codes)."""

SERVICE_FAILURE = "the service failed: run again in a while"
NO_RESPONSE = "check the network, a proxy, and --region; then run again"


class ServiceError(click.ClickException):
    """A refused call (*status* is the HTTP status, *code* the service's) or a call without a usable response (None)."""

    def __init__(
        self,
        operation: str,
        status: int | None,
        code: str | None,
        text: str,
        request_id: str | None = None,
        advice: str | None = None,
    ) -> None:
        self.operation = operation
        self.status = status
        self.code = code
        self.text = text
        self.request_id = request_id
        refused = f"{code or 'no code'} (HTTP {status}): {text}"
        traced = f" [request {request_id}]" if request_id else ""
        self.reason = (refused if status else text) + traced
        by_status = NO_RESPONSE if status is None else ADVICE.get(status, SERVICE_FAILURE)
        self.advice = advice or ADVICE_BY_CODE.get(code or "", by_status)
        super().__init__(f"{operation}: {self.reason}\nWhat to do: {self.advice}")

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self.status is None or self.status == 429 or self.status >= 500


class Client:
    """The SDK's client of one service.

    Reads are retried after transient errors. Writes are retried only if they were throttled, because then the service
    did nothing (see REPEATABLE for the exceptions).
    """

    def __init__(
        self,
        service: str,
        sdk_client: Any,
        endpoint: str,
        credentials: BasicCredentials | GlobalCredentials,
        sleep: Callable[[float], None] = time.sleep,
        note_skew: Callable[[float], None] = lambda _: None,
        read_timeout: float = READ,
    ) -> None:
        """*service* is the name in API Explorer, *sdk_client* the SDK's class, *endpoint* a URL without a path.

        Every response calls *note_skew* with the seconds that this machine's clock is ahead of the service's.
        """
        self.service = service
        self._note_skew = note_skew
        self._sleep = sleep
        self._secrets = [value for value in (credentials.ak, credentials.sk, credentials.security_token) if value]
        # Errors are raised. Without a handler, the SDK would also log them to standard error.
        logging.getLogger(f"HuaweiCloud-SDK-{sdk_client.__name__}").addHandler(logging.NullHandler())
        handler = HttpHandler().add_response_handler(self._note_date)
        proxies, ca_bundle = _read_environment(endpoint)
        config = HttpConfig(timeout=(CONNECT, read_timeout), retry_times=0, ssl_ca_cert=ca_bundle)
        builder = sdk_client.new_builder().with_http_config(config).with_http_handler(handler)
        self._sdk: Any = builder.with_credentials(credentials).with_endpoints([endpoint]).build()
        # Otherwise a .netrc with an entry for the host replaces the signature.
        session = self._sdk._http_client._session  # noqa: SLF001 there is no public way to it
        session.trust_env, session.proxies = False, proxies

    def call(self, method: str, request: Any, needs: str | type[list[Any]] | None = None) -> Any:
        """Call a *method* of the SDK's client. Returns the decoded JSON of the response, None if it is empty.

        *needs* is a field that the response must have, or ``list`` if it must be a list. Raises ServiceError for any
        other response.
        """
        repeats = method.startswith(REPEATABLE)
        for pause in PAUSES:
            try:
                return self._once(method, request, needs)
            except ServiceError as error:
                if not error.is_transient or (not repeats and error.status != 429):
                    raise
            self._sleep(pause)
        return self._once(method, request, needs)

    def pages(self, method: str, request: Any, key: str, limit: int) -> Iterator[JsonObject]:
        """Yield the items under *key*, page by page with ``offset`` and *limit*, until a page is not full."""
        request.offset, request.limit = 0, limit
        while True:
            items = self.call(method, request, key)[key] or []
            yield from items
            if len(items) < limit:
                return
            request.offset += limit

    def numbered_pages(self, method: str, request: Any, key: str, per_page: int) -> Iterator[JsonObject]:
        """Yield the items under *key*, page by page with IAM's ``page`` 1, 2, ..., until a page is not full."""
        request.page, request.per_page = 1, per_page
        while True:
            items = self.call(method, request, key)[key]
            yield from items
            if len(items) < per_page:
                return
            request.page += 1

    def delete(self, method: str, request: Any) -> None:
        """Call a *method* that deletes; 404 counts as deleted. Raises ServiceError for any other error."""
        try:
            self.call(method, request)
        except ServiceError as error:
            if error.status != 404:
                raise

    def _once(self, method: str, request: Any, needs: str | type[list[Any]] | None) -> Any:
        operation = f"{self.service}.{type(request).__name__.removesuffix('Request')}"
        try:
            with warnings.catch_warnings():
                # The SDK warns that dateutil is missing. Only its parsed response would need it, which is not used.
                warnings.simplefilter("ignore", ImportWarning)
                answer = getattr(self._sdk, method)(request)
        except ServiceResponseException as error:
            # The SDK puts the status in place of a missing code.
            code = str(error.error_code) if str(error.error_code) != str(error.status_code) else None
            text = self._redact(str(error.error_msg))
            raise ServiceError(operation, error.status_code, code, text, error.request_id) from None
        except RetryOutageException:  # what the SDK makes of a throttled call, unless it is a POST
            raise ServiceError(operation, 429, None, "too many calls") from None
        except Exception as error:  # noqa: BLE001 the SDK leaks errors of requests, urllib3 and its own decoding
            text = self._redact(f"no usable response: {type(error).__name__}: {error}")
            raise ServiceError(operation, None, None, text) from None
        if not 200 <= answer.status_code < 300:  # the SDK treats a redirect as a success
            raise _not_of_the_service(operation, answer.status_code, "")
        try:
            decoded = answer.to_json_object()
        except ValueError:
            raise _not_of_the_service(operation, answer.status_code, " without JSON") from None
        if isinstance(needs, str) and not (isinstance(decoded, dict) and needs in decoded):
            raise _not_of_the_service(operation, answer.status_code, f" without {needs!r}")
        if needs is list and not isinstance(decoded, list):
            raise _not_of_the_service(operation, answer.status_code, " without a list")
        return decoded

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."

    def _note_date(self, **facts: Any) -> None:
        # The SDK's exceptions have no headers. This handler runs before they are raised.
        try:
            there = parsedate_to_datetime(str(facts["response"].headers["Date"]))
        except (KeyError, TypeError, ValueError):
            return
        self._note_skew(time.time() - there.timestamp())


def _read_environment(endpoint: str) -> tuple[dict[str, str], str | None]:
    """Return the proxies for an endpoint, and the CA bundle if the environment names one."""
    settings = Session().merge_environment_settings(endpoint, {}, None, None, None)
    verify = settings["verify"]
    return dict(settings["proxies"]), verify if isinstance(verify, str) else None


def _not_of_the_service(operation: str, status: int, lack: str) -> ServiceError:
    text = f"HTTP {status}{lack}, which is not a response of the service"
    return ServiceError(operation, None, None, text)
