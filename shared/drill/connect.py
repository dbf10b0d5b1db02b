"""Connects to the copy of a drill by pymongo, and reads its documents.

Only this module imports pymongo, and only when a drill connects: the import costs 0.1 s. It uses commands that DDS
allows (DDS User Guide, Commands Supported and Restricted by DDS); `dbHash` and `validate` are not among them.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.drill.databases import SYSTEM_DATABASES
from shared.drill.documents import Connect, DamagedError, Documents, Index, Namespace, OutOfTimeError, UnreadableError
from shared.format import plain, shortened
from shared.model import Instance
from shared.retry import Deadline


if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.collection import Collection

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_CALL_SECONDS = 120.0
_BATCH = 500
_LONGEST = 200
_NODES = {"Sharding": "mongos", "ReplicaSet": "replica", "Single": "single"}
# MongoDB, error_codes.yml: InvalidBSON and DataCorruptionDetected.
_DAMAGED = (22, 302)


def connector(ca: str | None = None, *, seconds: float = 5.0) -> Connect:
    """Return what connects to instances, and waits at most so many `seconds` for each of their nodes.

    `ca` is the certificate authority of DDS, as PEM or as the path of a file, from the root of the package (DDS API,
    Obtaining the SSL Certificate Download Address). DDS makes its certificates for addresses of its own network, so
    with a given CA the name in the certificate is not compared (DDS User Guide, Connecting to a Replica Set Instance,
    Python). Without one, the certificate has to be for the address of the instance, by a CA that the system trusts.
    """

    @contextmanager
    def connect(copy: Instance, password: str, deadline: Deadline) -> Iterator[Documents]:
        # The debug log of pymongo has commands and documents.
        logging.getLogger("pymongo").setLevel(logging.WARNING)
        with ExitStack() as stack:
            with _translated(password, deadline):
                tls = _tls(ca, stack) if copy.has_tls else {}
                client = _open(copy, password, tls, lambda hosts: min(seconds, deadline.left() / hosts), stack)
            yield _MongoDocuments(client, password, deadline)

    return connect


def _open(
    copy: Instance, password: str, tls: dict[str, Any], patience: Callable[[int], float], stack: ExitStack
) -> "MongoClient[Any]":
    """Connect to the node that takes writes or, if it cannot be reached, to any other.

    Each node is connected to by itself, since a replica set names its nodes by addresses that may not be reachable.
    `patience` gives the seconds for each of so many nodes.
    """
    import pymongo
    from pymongo.errors import ConfigurationError, PyMongoError

    kind = _NODES.get(copy.mode, copy.mode)
    hosts = [host for group in copy.groups if group.kind == kind for host in group.hosts]
    reached: MongoClient[Any] | None = None
    trouble: PyMongoError = ConfigurationError(f"DDS lists no address of a node of the kind {kind!r}")
    for host in hosts:
        client: MongoClient[Any] = pymongo.MongoClient(
            host,
            copy.port,
            username=copy.user,
            password=password,
            authSource="admin",
            directConnection=True,
            retryReads=False,  # with a timeout, pymongo would repeat a read that kills the server until the timeout
            appname="ddsbackup-drill",
            tz_aware=True,
            **tls,
        )
        stack.callback(client.close)
        try:
            with pymongo.timeout(max(0.001, patience(len(hosts)))):
                client.admin.command("ping")
        except PyMongoError as error:
            trouble = error
            continue
        if client.is_primary:
            return client
        reached = reached or client
    if reached is None:
        raise trouble
    return reached


def _tls(ca: str | None, stack: ExitStack) -> dict[str, Any]:
    """The options of a connection with TLS, which always verifies the certificate."""
    if ca is None:
        return {"tls": True}
    if "-----BEGIN" in ca:  # the driver takes only a file
        path = Path(stack.enter_context(tempfile.TemporaryDirectory()), "ca.pem")
        path.write_text(ca.replace("\\n", "\n"), encoding="ascii")
    else:
        path = Path(__file__).parents[2] / ca
    return {"tls": True, "tlsCAFile": str(path), "tlsAllowInvalidHostnames": True}


class _MongoDocuments:
    """Implements `shared.drill.documents.Documents`."""

    def __init__(self, client: "MongoClient[Any]", password: str, deadline: Deadline) -> None:
        self._client = client
        self._password = password
        self._deadline = deadline

    def namespaces(self) -> Sequence[Namespace]:
        with _translated(self._password, self._deadline):
            return [
                _namespace(database, info)
                for database in self._client.list_database_names()
                if database not in SYSTEM_DATABASES
                for info in self._client[database].list_collections()
            ]

    def indexes(self, of: Namespace) -> Sequence[Index]:
        with _translated(self._password, self._deadline):
            found = self._collection(of).list_indexes()
            return [Index(index["name"], "expireAfterSeconds" in index) for index in found]

    def estimate(self, of: Namespace) -> int:
        with _translated(self._password, self._deadline):
            return self._collection(of).estimated_document_count()

    def count(self, of: Namespace) -> int:
        with _translated(self._password, self._deadline):
            return self._collection(of).count_documents({})

    def newest_id(self, of: Namespace, until: datetime) -> datetime | None:
        with _translated(self._password, self._deadline):
            from bson import ObjectId

            # From the end of that second: an ObjectId has whole seconds.
            latest = ObjectId(ObjectId.from_datetime(until).binary[:4] + b"\xff" * 8)
            found = self._collection(of).find_one({"_id": {"$lte": latest}}, {"_id": 1}, sort=[("_id", -1)])
            return found["_id"].generation_time if found and isinstance(found["_id"], ObjectId) else None

    def newest_time(self, of: Namespace, name: str) -> datetime | None:
        with _translated(self._password, self._deadline):
            found = self._collection(of).find_one({name: {"$gte": _EPOCH}}, {name: 1}, sort=[(name, -1)])
            value = found.get(name) if found else None
            return value if isinstance(value, datetime) else None

    def read(self, of: Namespace, sample: int | None) -> int:
        with _translated(self._password, self._deadline):
            from bson import CodecOptions, decode_iter
            from bson.codec_options import DatetimeConversion

            # What an application has stored is right, however odd: dates of any year, texts that are no UTF-8.
            options: CodecOptions[dict[str, Any]] = CodecOptions(
                unicode_decode_error_handler="replace", datetime_conversion=DatetimeConversion.DATETIME_AUTO
            )
            collection = self._collection(of)
            batches: Any  # pymongo's types call a batch, which is bytes, a document
            if sample is None:
                batches = collection.find_raw_batches({}, batch_size=_BATCH)
            else:
                batches = collection.aggregate_raw_batches([{"$sample": {"size": sample}}], batchSize=_BATCH)
            with batches:
                return sum(1 for batch in batches for _ in decode_iter(batch, options))

    def _collection(self, of: Namespace) -> "Collection[dict[str, Any]]":
        return self._client[of.database][of.name]


def _namespace(database: str, info: Any) -> Namespace:
    kind, options = info.get("type", "collection"), info.get("options") or {}
    has_data = kind != "view" and not info["name"].startswith("system.")
    made_without_ids = kind == "timeseries" or options.get("autoIndexId") is False or "clusteredIndex" in options
    return Namespace(database, info["name"], has_data, has_ids=not made_without_ids)


@contextmanager
def _translated(password: str, deadline: Deadline) -> Iterator[None]:
    """Let calls end at the deadline, and raise errors of the port instead of the driver's.

    No message has the password, whoever may have put it there, and no traceback shows the driver's error.
    """
    import pymongo
    from bson.errors import BSONError
    from pymongo.errors import PyMongoError

    if deadline.left() <= 0:
        raise OutOfTimeError("there was no time left")
    raised: Exception | None = None
    try:
        with pymongo.timeout(min(_CALL_SECONDS, deadline.left())):
            yield
    except BSONError as error:
        raised = DamagedError(f"a document cannot be decoded: {_safe(error, password)}")
    except PyMongoError as error:
        if getattr(error, "code", None) in _DAMAGED:
            raised = DamagedError(_safe(error, password))
        elif error.timeout:
            raised = OutOfTimeError(_safe(error, password))
        else:
            raised = UnreadableError(_safe(error, password))
    except (OSError, ValueError) as error:
        raised = UnreadableError(_safe(error, password))
    if raised:
        raise raised from None


def _safe(error: Exception, password: str) -> str:
    text = plain(str(error).replace(password, "***"))
    if "certificate verify failed" in text.lower():
        text = f"the certificate is not trusted; give DDS's CA in DRILL_CA: {text}"
    return shortened(text, _LONGEST) or type(error).__name__
