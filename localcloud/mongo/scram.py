"""Signing in: the server's side of SCRAM-SHA-256 and SCRAM-SHA-1 (RFC 5802, RFC 7677).

In the exchange of MongoDB, SCRAM-SHA-1 takes the MD5 digest of user and password for the password.
"""

import base64
import hashlib
import hmac
import os
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache


MECHANISMS = {"SCRAM-SHA-1": ("sha1", 16, 10_000), "SCRAM-SHA-256": ("sha256", 28, 15_000)}
"""The hash, the length of the salt in bytes, and the iterations that MongoDB uses for each mechanism."""

_FIRST = re.compile(r"[ny],(?:a=[^,]*)?,(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]+)[^\0]*)")
_FINAL = re.compile(r"(c=([^,]*),r=([^,]*)(?:,[^\0]*)?),p=([^,]*)")
_UNKNOWN = os.urandom(16).hex()


class SignInError(Exception):
    """The user, the password or the exchange is wrong. A client is not told which."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a server keeps of a password for one mechanism."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


@lru_cache(maxsize=256)
def credential(mechanism: str, user: str, password: str) -> Credential:
    """Derive the credential of a user. It takes some 10 ms, and is kept for the life of the process."""
    name, length, iterations = MECHANISMS[mechanism]
    if name == "sha1":
        digest = hashlib.md5(f"{user}:mongo:{password}".encode(), usedforsecurity=False)
        password = digest.hexdigest()
    else:
        # SASLprep of ASCII, of which the passwords of DDS are, is the text itself.
        password = unicodedata.normalize("NFKC", password)
    salt = os.urandom(length)
    salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", name)
    return Credential(
        salt, iterations, hashlib.new(name, client_key).digest(), hmac.digest(salted, b"Server Key", name)
    )


class Conversation:
    """One exchange. `password` is that of `user`, or None if this user cannot sign in."""

    def __init__(self, mechanism: str, user: str, password: str | None) -> None:
        self._hash = MECHANISMS[mechanism][0]
        self._mechanism = mechanism
        self._user = user
        self._password = password
        self.is_proved = False
        """Whether the client has proved that it knows the password."""

    def first(self, message: bytes) -> bytes:
        """The server's answer to the client's first message. Raises SignInError."""
        found = _FIRST.fullmatch(_text(message))
        if found is None:
            raise SignInError
        bare, user, nonce = found.groups()
        known = user.replace("=2C", ",").replace("=3D", "=") == self._user and self._password is not None
        # An unknown user gets as far as a known one with a wrong password.
        self._credential = credential(
            self._mechanism, self._user, self._password if known and self._password else _UNKNOWN
        )
        self._is_known = known
        self._nonce = nonce + base64.b64encode(os.urandom(24)).decode()
        salt = base64.b64encode(self._credential.salt).decode()
        answer = f"r={self._nonce},s={salt},i={self._credential.iterations}"
        self._exchanged = f"{bare},{answer}"
        return answer.encode()

    def final(self, message: bytes) -> bytes:
        """The server's signature, if the client's proof is right. Raises SignInError if it is not."""
        found = _FINAL.fullmatch(_text(message))
        if found is None:
            raise SignInError
        without_proof, binding, nonce, proof = found.groups()
        if nonce != self._nonce or binding not in {"biws", "eSws"}:
            raise SignInError
        exchanged = f"{self._exchanged},{without_proof}".encode()
        signature = hmac.digest(self._credential.stored_key, exchanged, self._hash)
        try:
            given = base64.b64decode(proof, validate=True)
        except ValueError as error:
            raise SignInError from error
        client_key = bytes(one ^ other for one, other in zip(given, signature, strict=False))
        proved = hmac.compare_digest(hashlib.new(self._hash, client_key).digest(), self._credential.stored_key)
        if len(given) != len(signature) or not proved or not self._is_known:
            raise SignInError
        self.is_proved = True
        return b"v=" + base64.b64encode(hmac.digest(self._credential.server_key, exchanged, self._hash))


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError as error:
        raise SignInError from error
