"""The valid credentials: permanent and temporary access keys, and tokens."""

import secrets
import uuid
from dataclasses import dataclass

from localcloud.store import Store


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key with its secret. A temporary one has a security token and expires (seconds since the epoch).

    `agency_id` is set for a key of an agency, which its policies restrict. A user is allowed everything.
    """

    id: str
    secret: str
    security_token: str | None
    expires_at: float | None
    agency_id: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token for X-Auth-Token. `expires_at` is in seconds since the epoch, or None. `agency_id` is as in AccessKey."""

    id: str
    expires_at: float | None
    agency_id: str | None = None


class Credentials:
    """The issued access keys and tokens."""

    def __init__(self, store: Store) -> None:
        self.keys = store.table("access_key", AccessKey)
        self.tokens = store.table("token", Token)

    def issue_key(self, expires_at: float, agency_id: str | None = None) -> AccessKey:
        """Issue a temporary access key that is valid until `expires_at`."""
        key = AccessKey(
            id=uuid.uuid4().hex[:20].upper(),
            secret=secrets.token_hex(20),
            security_token=secrets.token_urlsafe(96),
            expires_at=expires_at,
            agency_id=agency_id,
        )
        self.keys.put(key)
        return key

    def issue_token(self, expires_at: float, agency_id: str | None = None) -> Token:
        """Issue a token that is valid until `expires_at`."""
        token = Token("MII" + secrets.token_urlsafe(96), expires_at, agency_id)
        self.tokens.put(token)
        return token

    def clear(self) -> None:
        """Revoke all credentials."""
        self.keys.clear()
        self.tokens.clear()
