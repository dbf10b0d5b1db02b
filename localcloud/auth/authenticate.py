"""Decide who makes a call, as the gateway does before a service sees it."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.auth.credentials import AccessKey, Credentials, Token
from localcloud.auth.signature import (
    DATE_FORM,
    Authorization,
    canonical_request,
    parse_authorization,
    sign,
)
from localcloud.clock import Clock, parse, text
from localcloud.errors import CloudError, gateway_error


# "If the time difference exceeds 15 minutes, API Gateway rejects the request" (API Request Signing Guide).
SKEW = 15 * 60


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call: `target` is path and query as sent, `headers` by lower-case name."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def access_key_of(headers: Mapping[str, str]) -> str | None:
    """The access key that a call names, verified or not; None for a token."""
    authorization = parse_authorization(headers.get("authorization", ""))
    return authorization.access_key if authorization else None


def authenticate(call: Call, credentials: Credentials, clock: Clock) -> str | None:
    """The id of the agency that makes the call, None for the user; raises the gateway's CloudError for nobody.

    Credentials expire by the clock that can be moved; the age of a signature is taken from the wall clock, since
    that is what every SDK signs with.
    """
    header = call.headers.get("authorization")
    if header is None:
        return check_token(call.headers.get("x-auth-token"), credentials, clock.now()).agency_id
    authorization = parse_authorization(header)
    if authorization is None:
        raise gateway_error(401, "the Authorization header is not of SDK-HMAC-SHA256")
    key = credentials.keys.get(authorization.access_key)
    if key is None:
        raise gateway_error(401, f"ak {authorization.access_key} not exist")
    _check_security_token(key, call.headers.get("x-security-token"), clock.now())
    _check_date(call.headers.get("x-sdk-date", ""), clock.wall())
    _check_signature(call, authorization, key)
    return key.agency_id


def check_token(token: str | None, credentials: Credentials, now: float) -> Token:
    """The token with this text, if it is good now; raises the gateway's CloudError."""
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
        # A permanent access key goes without; one with somebody's token is a mix-up of two credentials.
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
        raise gateway_error(401, f"X-Sdk-Date must be like 20191115T033655Z, not {date!r}") from error
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
    # The real gateway shows its canonical request, the way to find what was signed differently; tokens are blanked.
    shown = "|".join(
        f"{name}:***" if (name := line.partition(":")[0]) in {"x-security-token", "x-auth-token"} else line
        for line in canonical.split("\n")
    )
    return gateway_error(401, f"verify aksk signature fail, canonicalRequest:{shown}")
