"""One service through its SDK client: whatever comes out of it ends here, as decoded JSON or as a ServiceError."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import RetryOutageException, ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.http.http_handler import HttpHandler

from cli.huaweicloud.errors import ServiceError
from cli.json_value import JsonObject


CONNECT, READ = 5.0, 120.0
"""Seconds. A package of tens of MB is stored before the answer comes."""

PAUSES = (2.0, 5.0, 15.0, 40.0)
"""Seconds before each further try; together they outlast the minute that a gateway counts calls in."""

REPEATABLE = ("list_", "show_", "keystone_list_", "check_", "create_resource_tag")
"""What may be called again when nobody knows whether it was done: it reads, or its page says that it is idempotent."""

LONGEST_MESSAGE = 500


class Client:
    """The SDK's client of one service.

    What only reads is tried again while the service has trouble; what writes is tried again only when it was
    throttled, since then nothing was done (see REPEATABLE).
    """

    def __init__(
        self,
        service: str,
        sdk_client: Any,
        endpoint: str,
        credentials: BasicCredentials | GlobalCredentials,
        sleep: Callable[[float], None] = time.sleep,
        note_skew: Callable[[float], None] = lambda _: None,
    ) -> None:
        """*service* is the name in API Explorer; *sdk_client* the SDK's class; *endpoint* a URL without a path.

        *note_skew* is told with every answer how many seconds this machine is ahead of the service.
        """
        self.service = service
        self._note_skew = note_skew
        self._sleep = sleep
        self._secrets = [value for value in (credentials.sk, credentials.security_token) if value]
        # What goes wrong is raised; without a handler the SDK's log would write it to standard error as well.
        logging.getLogger(f"HuaweiCloud-SDK-{sdk_client.__name__}").addHandler(logging.NullHandler())
        handler = HttpHandler().add_response_handler(self._note_date)
        config = HttpConfig(timeout=(CONNECT, READ), retry_times=0)
        builder = sdk_client.new_builder().with_http_config(config).with_http_handler(handler)
        self._sdk: Any = builder.with_credentials(credentials).with_endpoints([endpoint]).build()

    def call(self, method: str, request: Any, needs: str | type[list[Any]] | None = None) -> Any:
        """Call a *method* of the SDK's client; return the decoded JSON of the answer, None when it is empty.

        *needs* is a field that the answer has to have, or list for one that is a list. Raises ServiceError for
        everything else.
        """
        repeats = method.startswith(REPEATABLE)
        for pause in PAUSES:
            try:
                return self._once(method, request, needs)
            except ServiceError as error:
                if not error.is_passing or (not repeats and error.status != 429):
                    raise
            self._sleep(pause)
        return self._once(method, request, needs)

    def pages(self, method: str, request: Any, key: str, limit: int) -> Iterator[JsonObject]:
        """Yield what is listed under *key*, asking again with ``offset`` as long as pages of *limit* are full."""
        request.offset, request.limit = 0, limit
        while True:
            items = self.call(method, request, key)[key] or []
            yield from items
            if len(items) < limit:
                return
            request.offset += limit

    def numbered_pages(self, method: str, request: Any, key: str, per_page: int) -> Iterator[JsonObject]:
        """Yield what is listed under *key*, asking for ``page`` 1, 2, ... as long as they are full, as IAM has them."""
        request.page, request.per_page = 1, per_page
        while True:
            items = self.call(method, request, key)[key]
            yield from items
            if len(items) < per_page:
                return
            request.page += 1

    def delete(self, method: str, request: Any) -> None:
        """Call a *method* that deletes; what is gone already is deleted. Raises ServiceError for everything else."""
        try:
            self.call(method, request)
        except ServiceError as error:
            if error.status != 404:
                raise

    def _once(self, method: str, request: Any, needs: str | type[list[Any]] | None) -> Any:
        operation = f"{self.service}.{type(request).__name__.removesuffix('Request')}"
        try:
            with warnings.catch_warnings():
                # The SDK wants dateutil for times, which it does without; what it makes of the answer is not used here.
                warnings.simplefilter("ignore", ImportWarning)
                answer = getattr(self._sdk, method)(request)
        except ServiceResponseException as error:
            # Without a code in the answer the SDK takes the status for one.
            code = str(error.error_code) if str(error.error_code) != str(error.status_code) else None
            text = self._redact(str(error.error_msg))
            raise ServiceError(operation, error.status_code, code, text, error.request_id) from None
        except RetryOutageException:  # what the SDK makes of a throttled call, unless it is a POST
            raise ServiceError(operation, 429, None, "too many calls") from None
        except Exception as error:  # noqa: BLE001 the SDK leaks errors of requests, urllib3 and its own decoding
            text = self._redact(f"no usable answer: {type(error).__name__}: {error}")
            raise ServiceError(operation, None, None, text) from None
        if not 200 <= answer.status_code < 300:  # the SDK takes a redirect for a success
            raise ServiceError(operation, None, None, f"HTTP {answer.status_code}, which is no answer of the service")
        try:
            decoded = answer.to_json_object()
        except ValueError:
            raise ServiceError(
                operation, None, None, f"HTTP {answer.status_code} with a body that is no JSON"
            ) from None
        if isinstance(needs, str) and not (isinstance(decoded, dict) and needs in decoded):
            text = f"HTTP {answer.status_code} without {needs!r}, which is no answer of the service"
            raise ServiceError(operation, None, None, text)
        if needs is list and not isinstance(decoded, list):
            text = f"HTTP {answer.status_code} without a list, which is no answer of the service"
            raise ServiceError(operation, None, None, text)
        return decoded

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."

    def _note_date(self, **facts: Any) -> None:
        # The SDK's exceptions carry no headers; this runs before they are raised.
        try:
            there = parsedate_to_datetime(str(facts["response"].headers["Date"]))
        except (KeyError, TypeError, ValueError):
            return
        self._note_skew(time.time() - there.timestamp())
