"""SDK-HMAC-SHA256: what a signed request must carry (API Request Signing Guide, "Calling APIs Through App Auth")."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote


ALGORITHM = "SDK-HMAC-SHA256"
DATE_FORM = "%Y%m%dT%H%M%SZ"

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access>[^,\s]+), ?SignedHeaders=(?P<headers>[^,\s]+), ?Signature=(?P<signature>\w+)"
)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an Authorization header: the access key, the lower-case signed headers, the signature in hex."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(header: str) -> Authorization | None:
    """Take an Authorization header apart; None when it is not one of this algorithm."""
    match = _AUTHORIZATION.fullmatch(header.strip())
    if match is None:
        return None
    return Authorization(match["access"], tuple(match["headers"].lower().split(";")), match["signature"].lower())


def canonical_request(
    method: str, target: str, headers: Mapping[str, str], signed_headers: Sequence[str], body: bytes
) -> str:
    """The canonical request. `target` is path and query as sent, `headers` by lower-case name.

    Raises KeyError when a signed header was not sent.
    """
    path, _, query = target.partition("?")
    uri = "/".join(_encode(segment) for segment in unquote(path).split("/"))
    pairs = sorted(tuple(map(unquote, pair.partition("=")[::2])) for pair in query.split("&") if pair)
    content = (headers.get("x-sdk-content-sha256") if body else None) or hashlib.sha256(body).hexdigest()
    return "\n".join(
        [
            method.upper(),
            uri if uri.endswith("/") else uri + "/",
            "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs),
            "".join(f"{name}:{headers[name].strip()}\n" for name in signed_headers),
            ";".join(signed_headers),
            content,
        ]
    )


def sign(secret_key: str, date: str, canonical: str) -> str:
    """The signature, in hex, of a canonical request at `date` (the X-Sdk-Date header)."""
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _encode(text: str) -> str:
    return quote(text, safe="~")
