"""The signature algorithm SDK-HMAC-SHA256."""

import pytest

from localcloud.auth.authentication import canonical_request, parse_authorization, sign


# API Request Signing Guide: the worked example.
SECRET = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
TARGET = "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0"
HEADERS = {
    "content-type": "application/json",
    "host": "service.region.example.com",
    "x-sdk-date": "20191115T033655Z",
}
SIGNED = ("content-type", "host", "x-sdk-date")
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_official_vector() -> None:
    """The example of the signing guide has the guide's canonical request and signature."""
    canonical = canonical_request("GET", TARGET, HEADERS, SIGNED, b"")

    assert canonical.split("\n") == [
        "GET",
        "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/",
        "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        "content-type:application/json",
        "host:service.region.example.com",
        "x-sdk-date:20191115T033655Z",
        "",
        "content-type;host;x-sdk-date",
        EMPTY,
    ]
    assert (
        sign(SECRET, HEADERS["x-sdk-date"], canonical)
        == "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
    )


@pytest.mark.parametrize(
    ("target", "uri", "query"),
    [
        ("/a%20b/c", "/a%20b/c/", ""),
        ("/urn%3Asmn%3Ax/publish", "/urn%3Asmn%3Ax/publish/", ""),
        ("/~x/", "/~x/", ""),
        ("/a?b=2&a=1&a=0", "/a/", "a=0&a=1&b=2"),
        ("/a?flag&time=2018-08-06%2010%3A41", "/a/", "flag=&time=2018-08-06%2010%3A41"),
        ("/a?tags=k%3Dv%2Ck2%3Dv2", "/a/", "tags=k%3Dv%2Ck2%3Dv2"),
    ],
)
def test_paths_and_queries_are_made_canonical(target: str, uri: str, query: str) -> None:
    """Path segments and query pairs are normalized, pairs are sorted, and the path ends with a slash."""
    lines = canonical_request("get", target, {}, (), b"").split("\n")

    assert lines[:3] == ["GET", uri, query]


def test_a_body_counts_by_its_hash_or_by_the_header() -> None:
    """The canonical request ends with X-Sdk-Content-Sha256 or, by default, the SHA-256 of the body."""
    plain = canonical_request("POST", "/", {}, (), b"{}")
    unsigned = canonical_request("POST", "/", {"x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}, (), b"{}")
    empty = canonical_request("POST", "/", {"x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}, (), b"")

    assert plain.endswith("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    assert unsigned.endswith("UNSIGNED-PAYLOAD")
    assert empty.endswith(EMPTY)


def test_authorization_is_taken_apart() -> None:
    """The access key, the signed headers and the signature are parsed."""
    parsed = parse_authorization("SDK-HMAC-SHA256 Access=AK, SignedHeaders=Host;x-sdk-date, Signature=0Aff")

    assert parsed is not None
    assert (parsed.access_key, parsed.signed_headers, parsed.signature) == ("AK", ("host", "x-sdk-date"), "0aff")


@pytest.mark.parametrize("header", ["", "Bearer x", "SDK-HMAC-SM3 Access=a, SignedHeaders=b, Signature=c"])
def test_other_algorithms_are_not_taken(header: str) -> None:
    """An Authorization header of another algorithm is not parsed."""
    assert parse_authorization(header) is None
