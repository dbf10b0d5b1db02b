"""The credentials that the local cloud knows: access keys, temporary or not, and tokens."""

import secrets
import uuid
from dataclasses import dataclass

from localcloud.store import Store


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key with its secret. A temporary one has a security token and an end (seconds since the epoch).

    `agency_id` is set for the key of an agency, which may do what its policies allow; a user may do everything.
    """

    id: str
    secret: str
    security_token: str | None
    expires_at: float | None
    agency_id: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """What X-Auth-Token may carry; `expires_at` in seconds since the epoch, None for never; `agency_id` as above."""

    id: str
    expires_at: float | None
    agency_id: str | None = None


class Credentials:
    """The known access keys and tokens."""

    def __init__(self, store: Store) -> None:
        self.keys = store.table("access_key", AccessKey)
        self.tokens = store.table("token", Token)

    def issue_key(self, expires_at: float, agency_id: str | None = None) -> AccessKey:
        """A new temporary access key, good until `expires_at`."""
        key = AccessKey(_access(), secrets.token_hex(20), secrets.token_urlsafe(96), expires_at, agency_id)
        self.keys.put(key)
        return key

    def issue_token(self, expires_at: float, agency_id: str | None = None) -> Token:
        """A new token, good until `expires_at`."""
        token = Token("MII" + secrets.token_urlsafe(96), expires_at, agency_id)
        self.tokens.put(token)
        return token

    def clear(self) -> None:
        """Forget them all."""
        self.keys.clear()
        self.tokens.clear()


def _access() -> str:
    return uuid.uuid4().hex[:20].upper()
