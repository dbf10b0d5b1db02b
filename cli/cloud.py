"""The local cloud that a function runs against, embedded or at an address, as the command sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from cli.errors import WrongCall
from cli.json_value import JsonObject
from localcloud.functiongraph.runtime.model import Credentials


CREDENTIALS_LAST = 86_400
"""Seconds: what an agency's credentials last on FunctionGraph (24 hours), and IAM's longest."""

DEFAULT_URL = "http://127.0.0.1:8600"
"""Where ``ddsbackup serve`` listens unless told otherwise; ``--cloud local`` is there."""

PATIENCE = 10.0
"""Seconds within which a local cloud has to answer."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a cloud: what ``GET /_local/connection`` says and the command needs."""

    endpoint: str
    project_id: str
    token: str = field(repr=False)
    topic_urn: str


class Cloud:
    """A local cloud at *url*. Every method raises WrongCall when it does not answer as a local cloud does."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = cloud_url(url)
        self._client = client
        answer = self.call("GET", "/_local/connection")
        try:
            self.connection = Connection(
                endpoint=answer["endpoint"],
                project_id=answer["project_id"],
                token=answer["token"],
                topic_urn=answer["topic_urn"],
            )
        except (KeyError, TypeError) as error:
            raise WrongCall(f"{url} is not a local cloud: its /_local/connection has no {error}") from error
        client.headers["X-Auth-Token"] = self.connection.token

    def temporary_credentials(self) -> Credentials:
        """Return fresh temporary credentials, as the platform gets them for a function's agency."""
        token = {"id": self.connection.token, "duration_seconds": CREDENTIALS_LAST}
        answer = self.call(
            "POST",
            "/v3.0/OS-CREDENTIAL/securitytokens",
            json={"auth": {"identity": {"methods": ["token"], "token": token}}},
        )
        given = answer["credential"]
        return Credentials(given["access"], given["secret"], given["securitytoken"], self.connection.token)

    def state(self) -> dict[str, list[JsonObject]]:
        """Return the instances, backups and jobs as they are now."""
        state: dict[str, list[JsonObject]] = self.call("GET", "/_local/state")
        return state

    def messages(self, access_key: str | None = None) -> list[JsonObject]:
        """Return the messages that were published, all or those published with *access_key*, oldest first."""
        messages: list[JsonObject] = self.call("GET", "/_local/messages")
        return [message for message in messages if access_key in (None, message["access_key"])]

    def advance(self, seconds: float) -> None:
        """Move the cloud's clock on."""
        self.call("POST", "/_local/clock", json={"advance": seconds})

    @property
    def project(self) -> str:
        """The path of the project in services of version 2."""
        return f"/v2/{self.connection.project_id}"

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Make a call of an API with the connection's token; returns its answer."""
        what = f"{method} {self._url}{path}"
        try:
            response = self._client.request(method, self._url + path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise WrongCall(
                f"no local cloud answers at {self._url} ({reason}): start one with ddsbackup serve"
            ) from error
        if not response.is_success:
            said = f"{response.status_code} {_error(response)}".rstrip()
            raise WrongCall(f"{what} answered {said}, expected a local cloud (ddsbackup serve)")
        try:
            return response.json()
        except ValueError as error:
            raise WrongCall(f"{what} answered no JSON, expected a local cloud (ddsbackup serve)") from error


def _error(response: httpx.Response) -> str:
    """Return code and message of a service's error, or nothing."""
    try:
        body = response.json()
        return f"({body['error_code']}: {body['error_msg']})"
    except (ValueError, KeyError, TypeError):
        return ""


def cloud_url(given: str) -> str:
    """Return the URL that ``--cloud`` names: "local" is the default one, and a scheme may be left out."""
    if given == "local":
        return DEFAULT_URL
    return (given if "://" in given else f"http://{given}").rstrip("/")


@contextmanager
def open_cloud(url: str | None = None) -> Iterator[Cloud]:
    """Give the local cloud at *url* or, without one, a new embedded one that is gone at the end."""
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:  # a proxy knows no local cloud
        if url is not None:
            yield Cloud(url, client)
            return
        from localcloud import LocalCloud

        with LocalCloud(port=0) as local:
            yield Cloud(local.url, client)
