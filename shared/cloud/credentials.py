"""The temporary credentials in the context of an invocation."""

from dataclasses import dataclass, field
from typing import Protocol

from huaweicloudsdkcore.auth.credentials import BasicCredentials

from shared.errors import CredentialsError


_MASK = "***"


class Agency(Protocol):
    """The part of FunctionGraph's context that has the agency's temporary key."""

    # ruff: noqa: N802 the names are the platform's

    def getSecurityAccessKey(self) -> str | None: ...
    def getSecuritySecretKey(self) -> str | None: ...
    def getSecurityToken(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """An agency's temporary key, or a user's permanent key, which has no token. The repr contains no secret."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    security_token: str | None = field(repr=False)
    project_id: str

    @classmethod
    def of(cls, agency: Agency, project_id: str) -> "Credentials":
        """Read the credentials of this invocation. FunctionGraph renews them, so each invocation reads them.

        Raises:
            CredentialsError: the function has no agency.
        """
        parts = agency.getSecurityAccessKey(), agency.getSecuritySecretKey(), agency.getSecurityToken()
        access_key, secret_key, security_token = parts
        if not access_key or not secret_key or not security_token:
            raise CredentialsError("the context holds no temporary credentials: configure an agency for the function")
        return cls(access_key, secret_key, security_token, project_id)

    def redact(self, text: str) -> str:
        """Mask the key in `text`: errors of the gateway repeat the signed headers, which have the token."""
        for secret in filter(None, (self.secret_key, self.security_token, self.access_key)):
            text = text.replace(secret, _MASK)
        return text

    def for_sdk(self) -> BasicCredentials:
        """Convert to the SDK's class: one object, so that a client never mixes two keys."""
        return BasicCredentials(self.access_key, self.secret_key, self.project_id).with_security_token(
            self.security_token
        )
