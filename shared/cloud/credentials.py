"""Temporary credentials, as the context of an invocation gives them."""

from dataclasses import dataclass, field
from typing import Protocol

from huaweicloudsdkcore.auth.credentials import BasicCredentials

from shared.backups.errors import CredentialsError


_MASK = "***"


class Agency(Protocol):
    """The part of FunctionGraph's context that hands out the agency's temporary key."""

    # ruff: noqa: N802 the names are the platform's

    def getSecurityAccessKey(self) -> str | None: ...
    def getSecuritySecretKey(self) -> str | None: ...
    def getSecurityToken(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """An agency's temporary key, or a user's own, which has no token. Its representation holds nothing secret."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    security_token: str | None = field(repr=False)
    project_id: str

    @classmethod
    def of(cls, agency: Agency, project_id: str) -> "Credentials":
        """The credentials of this invocation: FunctionGraph renews them, so they are read for each.

        Raises:
            CredentialsError: the function has no agency.
        """
        parts = agency.getSecurityAccessKey(), agency.getSecuritySecretKey(), agency.getSecurityToken()
        access_key, secret_key, security_token = parts
        if not access_key or not secret_key or not security_token:
            raise CredentialsError("the context holds no temporary credentials: configure an agency for the function")
        return cls(access_key, secret_key, security_token, project_id)

    def redact(self, text: str) -> str:
        """`text` without any part of the key: the gateway's errors repeat the signed headers, token included."""
        for secret in filter(None, (self.secret_key, self.security_token, self.access_key)):
            text = text.replace(secret, _MASK)
        return text

    def for_sdk(self) -> BasicCredentials:
        """The same as the SDK wants it: one object, so that a client never sees half of one and half of another."""
        return BasicCredentials(self.access_key, self.secret_key, self.project_id).with_security_token(
            self.security_token
        )
