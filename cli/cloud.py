"""The client of a local cloud, which either runs at a URL or is started in this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from cli.errors import WrongCall
from cli.json_value import JsonObject
from localcloud.clock import MAX_JUMP_TIME
from localcloud.functiongraph.runtime.model import Credentials
from localcloud.key_file import find_token


CREDENTIALS_LAST = 86_400
"""Seconds that temporary credentials last: 24 hours, as for an agency on FunctionGraph, and IAM's maximum."""

DEFAULT_URL = "http://127.0.0.1:8600"
"""The default address of ``ddsbackup serve``, which ``--cloud local`` stands for."""

TOKEN_VARIABLE = "DDSBACKUP_CLOUD_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable with the token of a local cloud that another user or machine runs."""

TIMEOUT = 10.0
"""Seconds in which a local cloud has to respond."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The part of ``GET /_local/connection`` that the command needs."""

    endpoint: str
    project_id: str
    token: str = field(repr=False)
    topic_urn: str


class Cloud:
    """The local cloud at *url*. Every method raises WrongCall if there is no response, or not that of a local cloud.

    *token* is by default that of TOKEN_VARIABLE, or else the one that the local cloud keeps in a file for its user.
    """

    def __init__(self, url: str, client: httpx.Client, token: str | None = None) -> None:
        self._url = cloud_url(url)
        self._client = client
        token = token or os.environ.get(TOKEN_VARIABLE) or find_token(self._url)
        if token:
            client.headers["X-Auth-Token"] = token
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
        """Return new temporary credentials, as the platform gets them for a function's agency."""
        token = {"id": self.connection.token, "duration_seconds": CREDENTIALS_LAST}
        answer = self.call(
            "POST",
            "/v3.0/OS-CREDENTIAL/securitytokens",
            json={"auth": {"identity": {"methods": ["token"], "token": token}}},
        )
        given = answer["credential"]
        return Credentials(given["access"], given["secret"], given["securitytoken"], self.connection.token)

    def state(self) -> dict[str, list[JsonObject]]:
        """Return the current instances, backups and jobs."""
        state: dict[str, list[JsonObject]] = self.call("GET", "/_local/state")
        return state

    def messages(self, access_key: str | None = None) -> list[JsonObject]:
        """Return the published messages, oldest first: all, or those published with *access_key*."""
        messages: list[JsonObject] = self.call("GET", "/_local/messages")
        return [message for message in messages if access_key in (None, message["access_key"])]

    def authority(self) -> str:
        """Return the certificate, as PEM, of the authority that MongoDB clients need for instances with TLS."""
        return self._request("GET", "/_local/ca.pem").text

    def clock_offset(self) -> float:
        """Return by how many seconds the cloud's clock is ahead of the machine's."""
        return float(self.call("GET", "/_local/clock")["offset"])

    def advance(self, seconds: float) -> None:
        """Advance the cloud's clock. Returns when everything that became due has run."""
        self.call("POST", "/_local/clock", json={"advance": seconds}, timeout=MAX_JUMP_TIME + TIMEOUT)

    @property
    def project(self) -> str:
        """The path of the project in the APIs of version 2."""
        return f"/v2/{self.connection.project_id}"

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Call an API with the connection's token and return the decoded response."""
        response = self._request(method, path, **arguments)
        try:
            return response.json()
        except ValueError as error:
            what = f"{method} {self._url}{path}"
            raise WrongCall(f"the response of {what} is not JSON, expected a local cloud (ddsbackup serve)") from error

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            response = self._client.request(method, self._url + path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise WrongCall(
                f"no local cloud answers at {self._url} ({reason}): start one with ddsbackup serve"
            ) from error
        code, message = _error(response)
        if code.startswith("LocalCloud."):
            raise WrongCall(f"the local cloud at {self._url} refused the call: {message}{_advice(code)}")
        if not response.is_success:
            said = f"{response.status_code} ({code}: {message})" if code else str(response.status_code)
            what = f"{method} {self._url}{path}"
            raise WrongCall(f"{what} answered {said}, expected a local cloud (ddsbackup serve)")
        return response


def _error(response: httpx.Response) -> tuple[str, str]:
    """Return code and message of an error response, or two empty texts if it has none."""
    if response.is_success:
        return "", ""
    try:
        body = response.json()
        return str(body["error_code"]), str(body["error_msg"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def _advice(code: str) -> str:
    """Return what a user of this command can do about a refused token."""
    if code != "LocalCloud.Token":
        return ""
    return f". If another user or machine runs it, set {TOKEN_VARIABLE} to the X-Auth-Token that it printed"


def cloud_url(given: str) -> str:
    """Return the URL for a value of ``--cloud``: "local" is the default address, and the scheme is optional."""
    if given == "local":
        return DEFAULT_URL
    return (given if "://" in given else f"http://{given}").rstrip("/")


@contextmanager
def open_cloud(url: str | None = None) -> Iterator[Cloud]:
    """Yield the local cloud at *url*, or start one in this process that lasts as long as the context."""
    with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:  # a proxy cannot reach a local cloud
        if url is not None:
            yield Cloud(url, client)
            return
        from localcloud import LocalCloud

        with LocalCloud(port=0) as local:
            yield Cloud(local.url, client, local.connection()["token"])
