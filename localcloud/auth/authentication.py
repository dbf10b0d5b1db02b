"""Authentication at the gateway: tokens, access keys and SDK-HMAC-SHA256 signatures.

Source: API Request Signing Guide, "Calling APIs Through App Auth".
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from localcloud.auth.credentials import AccessKey, Credentials, Token
from localcloud.clock import Clock, parse, text
from localcloud.errors import CloudError, gateway_error


# "If the time difference exceeds 15 minutes, API Gateway rejects the request" (API Request Signing Guide).
SKEW = 15 * 60

ALGORITHM = "SDK-HMAC-SHA256"
DATE_FORM = "%Y%m%dT%H%M%SZ"

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access>[^,\s]+), ?SignedHeaders=(?P<headers>[^,\s]+), ?Signature=(?P<signature>\w+)"
)


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP call. `target` is the path and query as sent, `headers` have lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Authorization:
    """A parsed Authorization header. Signed headers are lower-case, the signature is in hexadecimal."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def access_key_of(headers: Mapping[str, str]) -> str | None:
    """The access key in a call's headers, verified or not. None for a token."""
    authorization = parse_authorization(headers.get("authorization", ""))
    return authorization.access_key if authorization else None


def authenticate(call: Call, credentials: Credentials, clock: Clock) -> str | None:
    """The id of the agency that makes the call, or None for the user. Raises the gateway's CloudError (401).

    Credentials expire by the local cloud's clock. The age of a signature is measured by the wall clock, with which
    SDKs sign.
    """
    header = call.headers.get("authorization")
    if header is None:
        return check_token(call.headers.get("x-auth-token"), credentials, clock.now()).agency_id
    authorization = parse_authorization(header)
    if authorization is None:
        raise gateway_error(401, "the Authorization header is not SDK-HMAC-SHA256")
    key = credentials.keys.get(authorization.access_key)
    if key is None:
        raise gateway_error(401, f"ak {authorization.access_key} not exist")
    _check_security_token(key, call.headers.get("x-security-token"), clock.now())
    _check_date(call.headers.get("x-sdk-date", ""), clock.wall())
    _check_signature(call, authorization, key)
    return key.agency_id


def check_token(token: str | None, credentials: Credentials, now: float) -> Token:
    """The token with this id, if it is valid at `now`. Raises the gateway's CloudError (401)."""
    if not token:
        raise gateway_error(401, "x-auth-token not found")
    known = credentials.tokens.get(token)
    if known is None:
        raise gateway_error(401, "decrypt token fail")
    if known.expires_at is not None and now >= known.expires_at:
        raise gateway_error(401, "token expires")
    return known


def _check_security_token(key: AccessKey, token: str | None, now: float) -> None:
    if key.expires_at is not None and now >= key.expires_at:
        raise gateway_error(401, f"security token of ak {key.id} expired at {text(key.expires_at)}")
    if key.security_token is None:
        # A security token sent with a permanent access key is a mix-up of two credentials.
        if token:
            raise gateway_error(401, f"ak {key.id} is permanent and takes no security token")
    elif not token:
        raise gateway_error(401, f"ak {key.id} is temporary: X-Security-Token not found")
    elif not hmac.compare_digest(token.encode(), key.security_token.encode()):
        raise gateway_error(401, f"the security token does not belong to ak {key.id}")


def _check_date(date: str, wall: float) -> None:
    try:
        signed = parse(date, DATE_FORM)
    except ValueError as error:
        raise gateway_error(401, f"X-Sdk-Date must be in the form 20191115T033655Z, not {date!r}") from error
    if abs(wall - signed) > SKEW:
        detail = f"signature expired, signature time:{date},server time:{text(wall, DATE_FORM)}"
        raise gateway_error(401, f"calc aksk signature fail:{detail}")


def _check_signature(call: Call, authorization: Authorization, key: AccessKey) -> None:
    if "x-sdk-date" not in authorization.signed_headers:
        raise gateway_error(401, "X-Sdk-Date is not among the signed headers")
    try:
        canonical = canonical_request(call.method, call.target, call.headers, authorization.signed_headers, call.body)
    except KeyError as error:
        raise gateway_error(401, f"signed header {error.args[0]} not found") from error
    expected = sign(key.secret, call.headers["x-sdk-date"], canonical)
    if not hmac.compare_digest(expected, authorization.signature):
        raise _mismatch(canonical)


def _mismatch(canonical: str) -> CloudError:
    # Like the real gateway, show the canonical request, which helps to find the difference. Tokens are masked.
    shown = "|".join(
        f"{name}:***" if (name := line.partition(":")[0]) in {"x-security-token", "x-auth-token"} else line
        for line in canonical.split("\n")
    )
    return gateway_error(401, f"verify aksk signature fail, canonicalRequest:{shown}")


def parse_authorization(header: str) -> Authorization | None:
    """Parse an Authorization header. Returns None for another algorithm."""
    match = _AUTHORIZATION.fullmatch(header.strip())
    if match is None:
        return None
    return Authorization(match["access"], tuple(match["headers"].lower().split(";")), match["signature"].lower())


def canonical_request(
    method: str, target: str, headers: Mapping[str, str], signed_headers: Sequence[str], body: bytes
) -> str:
    """The canonical request. `target` is the path and query as sent, `headers` have lower-case names.

    Raises KeyError for a signed header that was not sent.
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
    """The signature of a canonical request in hexadecimal. `date` is the header X-Sdk-Date."""
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _encode(text: str) -> str:
    return quote(text, safe="~")
