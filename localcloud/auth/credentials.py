"""The valid credentials: those of the user, temporary access keys, and tokens."""

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


@dataclass(frozen=True, slots=True)
class Owner:
    """The credentials of the user, which never expire. Without a security_token the access key is permanent.

    `is_fixed` is set if they come from the seed and are therefore public.
    """

    access_key: str
    secret_key: str
    security_token: str | None
    token: str
    is_fixed: bool

    @classmethod
    def new(cls) -> "Owner":
        """New random credentials."""
        return cls(
            access_key=_new_access_key(),
            secret_key=secrets.token_hex(20),
            security_token=secrets.token_urlsafe(96),
            token=_new_token(),
            is_fixed=False,
        )


class Credentials:
    """The issued access keys and tokens. Those of the owners of earlier runs are revoked."""

    def __init__(self, store: Store, owner: Owner) -> None:
        self.owner = owner
        self.keys = store.table("access_key", AccessKey)
        self.tokens = store.table("token", Token)
        for key in [key for key in self.keys if key.expires_at is None]:
            self.keys.remove(key.id)
        for token in [token for token in self.tokens if token.expires_at is None]:
            self.tokens.remove(token.id)
        self._put_owner()

    def issue_key(self, expires_at: float, agency_id: str | None = None) -> AccessKey:
        """Issue a temporary access key that is valid until `expires_at`."""
        key = AccessKey(
            id=_new_access_key(),
            secret=secrets.token_hex(20),
            security_token=secrets.token_urlsafe(96),
            expires_at=expires_at,
            agency_id=agency_id,
        )
        self.keys.put(key)
        return key

    def issue_token(self, expires_at: float, agency_id: str | None = None) -> Token:
        """Issue a token that is valid until `expires_at`."""
        token = Token(_new_token(), expires_at, agency_id)
        self.tokens.put(token)
        return token

    def clear(self) -> None:
        """Revoke all credentials but the owner's."""
        self.keys.clear()
        self.tokens.clear()
        self._put_owner()

    def _put_owner(self) -> None:
        owner = self.owner
        self.keys.put(AccessKey(owner.access_key, owner.secret_key, owner.security_token, None))
        self.tokens.put(Token(owner.token, None))


def _new_access_key() -> str:
    return uuid.uuid4().hex[:20].upper()


def _new_token() -> str:
    return "MII" + secrets.token_urlsafe(96)
