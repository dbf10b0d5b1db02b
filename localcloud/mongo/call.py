"""One call of a command: the instance it is for, the connection it comes from, and its arguments."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from localcloud.dds.model import Instance
from localcloud.dds.state import DdsState
from localcloud.mongo.content import Collection, Content
from localcloud.mongo.cursors import Cursors
from localcloud.mongo.errors import MongoError, bad_value
from localcloud.mongo.scram import Conversation


# The administrator of an instance (DDS API: db_user_name), and the databases that belong to the server.
USER = "rwuser"
ADMIN = "admin"
SYSTEM_DATABASES = (ADMIN, "config", "local")
MAX_NAME = 255
# Operations during which an instance has no connections.
_UNREACHABLE = {"RESTARTING", "RESTORING"}
# How many answers of writes are kept for a driver that has not received one and repeats the write.
MAX_ANSWERS = 1000


@dataclass(slots=True)
class Client:
    """A connection. `user` has signed in on it; `conversation` is an exchange of SCRAM in progress."""

    number: int
    address: tuple[str, int]
    user: str | None = None
    conversation: Conversation | None = None
    skips_empty_exchange: bool = False


@dataclass(slots=True)
class Server:
    """What the connections of an instance share. `commit` writes the changes to the state file."""

    dds: DdsState
    instance_id: str
    port: int
    commit: Callable[[], None]
    random: Random = field(default_factory=Random)
    cursors: Cursors = field(init=False)
    answers: OrderedDict[tuple[bytes, int], dict[str, Any]] = field(default_factory=OrderedDict)
    connections: int = 0
    total_connections: int = 0
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.cursors = Cursors(self.random)

    @property
    def instance(self) -> Instance | None:
        """The instance, or None if it has been deleted."""
        return self.dds.instances.get(self.instance_id)

    @property
    def is_up(self) -> bool:
        """Whether clients can use the instance now: it is normal, and is not restarted, overwritten or deleted."""
        now = self.dds.present()
        instance = self.instance
        if instance is None or instance.status != "normal" or instance.gone_at is not None:
            return False
        return not _UNREACHABLE & set(instance.actions_at(now))

    def uptime(self) -> float:
        """For how many seconds the instance has been reachable."""
        return time.monotonic() - self.started

    def now(self) -> float:
        """The present of the local cloud, in seconds since the epoch."""
        return self.dds.region.clock.now()


@dataclass(frozen=True, slots=True)
class Call:
    """A command, such as {"find": "orders", "$db": "shop"}."""

    server: Server
    client: Client
    instance: Instance
    name: str
    body: dict[str, Any]

    @property
    def database(self) -> str:
        """The database that the command is for. Raises MongoError for an invalid name."""
        database = self.body.get("$db")
        if not isinstance(database, str) or not 0 < len(database) < 64 or set(database) & set('/\\. "$\0'):
            raise _invalid_namespace(f"Invalid database name: {database!r}")
        return database

    @property
    def collection_name(self) -> str:
        """The collection that the command names. Raises MongoError for an invalid name."""
        return self._checked(self.body[self.name])

    @property
    def namespace(self) -> str:
        """The database and the collection, as "shop.orders"."""
        return f"{self.database}.{self.collection_name}"

    @property
    def content(self) -> Content:
        """What the instance holds."""
        return self.server.dds.content(self.instance.id)

    def collection(self) -> Collection:
        """The collection that the command names, empty if there is none."""
        found = self.content.collection(self.database, self.collection_name)
        return Collection() if found is None else found

    def write(self, content: Content) -> None:
        """Replace what the instance holds. Raises MongoError in a database of the server's own."""
        if self.database in SYSTEM_DATABASES:
            raise unauthorized(self)
        self.server.dds.write(self.instance.id, content)

    def document(self, name: str) -> dict[str, Any]:
        """An argument that is a document, by default an empty one. Raises MongoError for another type."""
        value = self.body.get(name)
        if value is not None and not isinstance(value, dict):
            raise MongoError(14, "TypeMismatch", f"{self.name}.{name} must be a document")
        return value or {}

    def documents(self, name: str) -> list[dict[str, Any]]:
        """An argument that is an array of documents. Raises MongoError for another type, and for more than 100,000."""
        value = self.body.get(name)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise MongoError(14, "TypeMismatch", f"{self.name}.{name} must be an array of documents")
        if not 1 <= len(value) <= 100_000:
            raise MongoError(16, "InvalidLength", f"{self.name}.{name} must have 1 to 100000 documents")
        return value

    def whole(self, name: str, default: int | None = None) -> int | None:
        """An argument that is a whole number of at least 0. Raises MongoError for anything else."""
        value = self.body.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise MongoError(14, "TypeMismatch", f"{self.name}.{name} must be a whole number")
        if value < 0:
            raise bad_value(f"{self.name}.{name} must be at least 0")
        return int(value)

    def _checked(self, name: object) -> str:
        if not isinstance(name, str):
            raise _invalid_namespace(f"collection name has invalid type {type(name).__name__}")
        if not name or name.startswith(".") or name.endswith(".") or set(name) & {"$", "\0"} or ".." in name:
            raise _invalid_namespace(f"Invalid collection name: {name!r}")
        if len(f"{self.database}.{name}".encode()) > MAX_NAME:
            raise _invalid_namespace(f"a namespace has at most {MAX_NAME} bytes")
        return name


def unauthorized(call: Call) -> MongoError:
    """The error for a command that this user may not run."""
    database = call.body.get("$db", "")
    return MongoError(13, "Unauthorized", f"not authorized on {database} to execute command {{ {call.name}: ... }}")


def _invalid_namespace(message: str) -> MongoError:
    return MongoError(73, "InvalidNamespace", message)
