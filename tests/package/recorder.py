"""A server with scripted answers, byte for byte, that records its requests, byte for byte."""

import gzip
import json
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


INSTANCE: dict[str, Any] = {
    "id": "a89dab5e39394eccbdb77b19d57b0180in02",
    "name": "orders",
    "status": "normal",
    "mode": "Sharding",
    "created": "2026-11-01T02:03:04",
    "enterprise_project_id": "0",
    "tags": [{"key": "env", "value": "production"}],
    "datastore": {"type": "DDS-Community", "version": "4.4"},
    "backup_strategy": {"start_time": "01:00-02:00", "keep_days": 7},
    "groups": [{"type": "mongos", "volume": {"size": "10", "used": "1"}, "nodes": [{"id": "n", "name": "n1"}]}],
}
BACKUP: dict[str, Any] = {
    "id": "43e4feaab48f41e89039fa163ebaa7e4br02",
    "name": "nightly",
    "instance_id": INSTANCE["id"],
    "instance_name": "orders",
    "datastore": {"type": "DDS-Community", "version": "4.4"},
    "type": "Manual",
    "begin_time": "2026-11-24 03:00:00",
    "end_time": "2026-11-24 03:02:00",
    "status": "COMPLETED",
    "size": 2803.5,
    "description": "Größe, 大小",
}
JOB: dict[str, Any] = {
    "id": "8f14e45f-ceea-467f-a8f4-000000000000",
    "name": "MongodbSnapshotBackup",
    "status": "Running",
    "progress": "40%",
    "instance_id": INSTANCE["id"],
    "created_at": "2026-11-24T03:00:00+0000",
    "created": "2026-11-24T03:00:00+0000",
    "instance": {"id": INSTANCE["id"], "name": "orders"},
    "fail_reason": None,
}
EVERYTHING: dict[str, Any] = {
    "job_id": JOB["id"],
    "backup_id": BACKUP["id"],
    "backups": [BACKUP],
    "jobs": [JOB],
    "job": JOB,
    "instances": [INSTANCE],
    "total_count": 1,
    "message_id": "m-1",
    "request_id": "r-1",
    "unknown": [1],
}
"""A valid answer to any of our calls."""

OK = json.dumps(EVERYTHING).encode()
BUSY = b'{"error_code":"DBS.200019","error_msg":"busy"}'
GATEWAY = b'{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information","request_id":"r"}'
DENIED = b'{"errCode":"DBS.280408","externalMessage":"denied"}'
LATIN = "<p>Zugriff nicht möglich: Größe überschritten, für später übrig</p>".encode("latin-1")
CYRILLIC = "Внутренняя ошибка сервера, попробуйте ещё раз позже".encode("koi8-r")


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """An HTTP answer. Header names have _ for -. Content_Length defaults to the length of the body.

    It has Connection: close, since the server closes the connection. A client that reused it might or might not send.
    """
    fields = {"Content_Length": str(len(body)), "Connection": "close"} | headers
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


JSON = {"Content_Type": "application/json"}
ANSWERS: dict[str, bytes] = {
    "ok": answer("200 OK", OK, **JSON),
    "ok in UTF-8 by name": answer(
        "202 Accepted", OK, Content_Type="application/json;charset=utf-8", Set_Cookie="a=b; Path=/"
    ),
    "ok without a type": answer("200 OK", OK),
    "ok in gzip": answer("200 OK", gzip.compress(OK, mtime=0), **JSON, Content_Encoding="gzip"),
    "ok in chunks": answer(
        "200 OK", b"%x\r\n%s\r\n0\r\n\r\n" % (len(OK), OK), **JSON, Transfer_Encoding="chunked"
    ).replace(b"Content-Length", b"X-Length"),
    "bad gzip": answer("200 OK", b"no gzip", **JSON, Content_Encoding="gzip"),
    "bad chunks": answer("200 OK", b"zz\r\n", **JSON, Transfer_Encoding="chunked").replace(
        b"Content-Length", b"X-Length"
    ),
    "truncated": answer("200 OK", OK[:20], **JSON, Content_Length=str(len(OK))),
    "cut JSON": answer("200 OK", OK[:20], **JSON),
    "no JSON": answer("200 OK", b"<html>hello</html>", Content_Type="text/html"),
    "a list": answer("200 OK", b"[]", **JSON),
    "a number": answer("200 OK", b"12", **JSON),
    "nulls": answer("200 OK", b'{"backups":null,"jobs":null,"instances":null,"job":null,"total_count":null}', **JSON),
    "empty": answer("202 Accepted"),
    "no content": answer("204 No Content").replace(b"Content-Length: 0\r\n", b""),
    "wrong types": answer("200 OK", json.dumps({**EVERYTHING, "backups": [{"size": ""}], "job": "x"}).encode(), **JSON),
    "redirect": answer("302 Found", Location="http://127.0.0.1:9/"),
    "bad request": answer("400 Bad Request", b'{"error_code":"DBS.280001","error_msg":"wrong"}', **JSON),
    "wrong signature": answer("401 Unauthorized", GATEWAY, **JSON),
    "busy": answer("403 Forbidden", BUSY, **JSON, X_Request_Id="r-2"),
    "denied": answer("403 Forbidden", DENIED, **JSON, X_Request_Id="r-3"),
    "denied in plain text": answer("403 Forbidden", LATIN, Content_Type="text/html"),
    "absent": answer("404 Not Found", b'{"error":{"code":"DBS.200002","message":"none"}}', **JSON),
    "throttled": answer(
        "429 Too Many Requests", b'{"error_code":"APIGW.0308","error_msg":"slow"}', **JSON, Retry_After="7"
    ),
    "failed": answer("500 Internal Server Error", b'{"error_code":"DBS.200998","error_msg":"oh"}', **JSON),
    "failed in Latin-1": answer("500 Internal Server Error", LATIN, Content_Type="application/octet-stream"),
    "failed in KOI8-R": answer("502 Bad Gateway", CYRILLIC),
    "failed in an unknown charset": answer("502 Bad Gateway", LATIN, Content_Type="text/plain; charset=none-such"),
    "failed in XML": answer(
        "503 Service Unavailable", b"<error><code>1</code></error>", Content_Type="application/xml"
    ),
    "ok in XML": answer("200 OK", b"<r><job_id>j</job_id></r>", Content_Type="application/xml"),
    "evil XML": answer("200 OK", b'<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', Content_Type="application/xml"),
    "no HTTP": b"hello\r\n\r\n",
    "a wrong header": answer("200 OK", OK, **JSON).replace(b"Content-Type", b"broken line\r\nContent-Type"),
    "closed": b"",
}
IN_BSON = answer("200 OK", OK, Content_Type="application/bson")
SLOW, BSON = "slow", "BSON"
"""The names of an answer that comes too late, and of an answer that the slim package cannot read."""


class Recorder(socketserver.ThreadingTCPServer):
    """A server on a free port of 127.0.0.1. It gives one of `answers` after the other, by name."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[bytes] = []
        self.answers: list[str] = []


class _Handler(socketserver.StreamRequestHandler):
    server: Recorder
    timeout = 0.3

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            try:
                line = self.rfile.readline()
            except TimeoutError:
                return  # a TLS handshake
            if not line:
                return
            head += line
        length = re.search(rb"(?i)content-length: (\d+)", head)
        self.server.requests.append(head + self.rfile.read(int(length[1]) if length else 0))
        name = self.server.answers.pop(0)
        if name == SLOW:
            time.sleep(0.6)
        else:
            self.wfile.write(IN_BSON if name == BSON else ANSWERS[name])


@contextmanager
def recorder() -> Iterator[Recorder]:
    """A running server. Each connection serves one request."""
    with Recorder() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
