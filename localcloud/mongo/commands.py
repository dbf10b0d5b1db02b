"""The commands of an instance: who may run them, with which arguments, and what they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.mongo import descriptions, reads, writes
from localcloud.mongo.call import ADMIN, MAX_ANSWERS, USER, Call, Client, Server, unauthorized
from localcloud.mongo.errors import MongoError, not_implemented
from localcloud.mongo.scram import Conversation, SignInError
from localcloud.mongo.wire import Request


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What every command may have, and what is without effect here.
COMMON = _names(
    "$db $readPreference $clusterTime lsid txnNumber readConcern writeConcern maxTimeMS comment apiVersion apiStrict"
    " apiDeprecationErrors"
)

# "Commands supported and restricted by DDS" (DDS user guide): what users cannot run.
FORBIDDEN = _names(
    "authSchemaUpgrade replSetElect replSetUpdatePosition appendOplogNote replSetFreeze replSetInitiate"
    " replSetMaintenance replSetReconfig replSetStepDown replSetSyncFrom replSetRequestVotes"
    " replSetDeclareElectionWinner resync applyOps replSetGetConfig flushRouterConfig addShard cleanupOrphaned"
    " checkShardingIndex listShards removeShard getShardMap setShardVersion shardingState unsetSharding clone clean"
    " connPoolSync compact setParameter repairDatabase repairCursor shutdown logRotate connPoolStats cursorInfo dbHash"
    " diagLogging driverOIDTest getCmdLineOpts getLog hostInfo isSelf netstat shardConnPoolStats validate handshake"
    " _recvChunkAbort _recvChunkCommit _recvChunkStart _recvChunkStatus _replSetFresh mapreduce.shardedfinish"
    " _transferMods replSetHeartbeat replSetGetRBID _migrateClone writeBacksQueued writebacklisten"
    " logApplicationMessage"
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `is_open`: it can be run before signing in.

    `fields` are the arguments beside the common ones; None accepts any, for a greeting, in which drivers offer more
    with each version.
    """

    run: Callable[[Call], dict[str, Any]]
    fields: frozenset[str] | None = frozenset()
    is_open: bool = False
    writes: bool = False


def answer(server: Server, client: Client, request: Request) -> dict[str, Any]:
    """What the server answers to a request, an error included. Changes are committed by then."""
    try:
        return {**_run(_call(server, client, request)), "ok": 1.0}
    except MongoError as error:
        return {"ok": 0.0, "errmsg": str(error), "code": error.code, "codeName": error.name}
    except RecursionError:
        return {"ok": 0.0, "errmsg": "the command is nested too deeply", "code": 15, "codeName": "Overflow"}


def _call(server: Server, client: Client, request: Request) -> Call:
    instance = server.instance
    name = next(iter(request.command), "")
    if instance is None:
        raise MongoError(91, "ShutdownInProgress", "the instance has been deleted")
    if request.is_legacy and name not in {"hello", "isMaster", "ismaster"}:
        raise MongoError(352, "UnsupportedOpQueryCommand", f"the command {name} needs OP_MSG")
    return Call(server, client, instance, name, request.command)


def _run(call: Call) -> dict[str, Any]:
    command = COMMANDS.get(call.name)
    if call.client.user is None and not (command and command.is_open):
        raise MongoError(13, "Unauthorized", f"command {call.name} requires authentication")
    if call.name in FORBIDDEN:
        raise unauthorized(call)
    if command is None:
        raise MongoError(59, "CommandNotFound", f"no such command: '{call.name}'")
    _check_arguments(call, command)
    if not command.writes:
        return command.run(call)
    key = _repeatable(call)
    known = call.server.answers.get(key) if key else None
    if known is not None:
        return known
    result = command.run(call)
    call.server.commit()
    if key:
        call.server.answers[key] = result
        while len(call.server.answers) > MAX_ANSWERS:
            call.server.answers.popitem(last=False)
    return result


def _check_arguments(call: Call, command: Command) -> None:
    if "startTransaction" in call.body or "autocommit" in call.body:
        raise not_implemented("a transaction")
    concern = call.body.get("readConcern")
    if isinstance(concern, Mapping) and concern.get("level") == "snapshot":
        raise not_implemented("the read concern snapshot")
    if command.fields is None:
        return
    for field, value in call.body.items():
        if field not in {call.name, *COMMON, *command.fields} and value not in (False, None):
            raise not_implemented(f"the field {field} of {call.name}")


def _repeatable(call: Call) -> tuple[bytes, int] | None:
    """The session and the number of a write that a driver repeats if it does not receive the answer."""
    session, number = call.body.get("lsid"), call.body.get("txnNumber")
    identity = session.get("id") if isinstance(session, Mapping) else None
    return (identity, number) if isinstance(identity, bytes) and isinstance(number, int) else None


def _hello(call: Call) -> dict[str, Any]:
    answer = descriptions.hello(call)
    first = call.body.get("speculativeAuthenticate")
    if isinstance(first, dict) and first.get("mechanism") in descriptions.mechanisms(call):
        # A driver that gets no answer to this starts again with saslStart.
        try:
            answer["speculativeAuthenticate"] = _sasl(call, first, first.get("db"))
        except MongoError:
            call.client.conversation = None
    return answer


def _sasl_start(call: Call) -> dict[str, Any]:
    return _sasl(call, call.body, call.body.get("$db"))


def _sasl(call: Call, body: Mapping[str, Any], database: object) -> dict[str, Any]:
    mechanism, payload, options = body.get("mechanism"), body.get("payload"), body.get("options")
    if mechanism not in descriptions.mechanisms(call):
        known = ", ".join(descriptions.mechanisms(call))
        raise MongoError(334, "MechanismUnavailable", f"the mechanism {mechanism!r} is not one of {known}")
    password = call.instance.password if database == ADMIN else None
    client = call.client
    client.conversation = Conversation(str(mechanism), USER, password)
    client.skips_empty_exchange = isinstance(options, Mapping) and bool(options.get("skipEmptyExchange"))
    return _step(call, client.conversation.first, payload)


def _sasl_continue(call: Call) -> dict[str, Any]:
    conversation = call.client.conversation
    if conversation is None:
        raise MongoError(17, "ProtocolError", "no SASL session in progress")
    if not conversation.is_proved:
        answer = _step(call, conversation.final, call.body.get("payload"))
        if not call.client.skips_empty_exchange:
            return {**answer, "done": False}
    else:
        answer = {"conversationId": 1, "done": True, "payload": b""}
    call.client.conversation = None
    call.client.user = USER
    return {**answer, "done": True}


def _step(call: Call, step: Callable[[bytes], bytes], payload: object) -> dict[str, Any]:
    try:
        message = payload if isinstance(payload, bytes) else b""
        return {"conversationId": 1, "done": False, "payload": step(message)}
    except SignInError as error:
        call.client.conversation = None
        raise MongoError(18, "AuthenticationFailed", "Authentication failed.") from error


def _command(run: Callable[[Call], dict[str, Any]], fields: str = "", **options: bool) -> Command:
    return Command(run, _names(fields), **options)


_SASL = "mechanism payload options autoAuthorize conversationId"
_FIND = "filter sort projection skip limit batchSize singleBatch hint noCursorTimeout allowPartialResults allowDiskUse"

COMMANDS = {
    "hello": Command(_hello, None, is_open=True),
    "isMaster": Command(_hello, None, is_open=True),
    "ismaster": Command(_hello, None, is_open=True),
    "saslStart": _command(_sasl_start, _SASL, is_open=True),
    "saslContinue": _command(_sasl_continue, _SASL, is_open=True),
    "ping": _command(descriptions.ping, is_open=True),
    "buildInfo": _command(descriptions.build_info, is_open=True),
    "buildinfo": _command(descriptions.build_info, is_open=True),
    "connectionStatus": _command(descriptions.connection_status, "showPrivileges", is_open=True),
    "whatsmyuri": _command(descriptions.whats_my_uri, is_open=True),
    "endSessions": _command(descriptions.end_sessions, is_open=True),
    "getParameter": _command(descriptions.get_parameter, "featureCompatibilityVersion"),
    "serverStatus": _command(descriptions.server_status),
    "listDatabases": _command(descriptions.list_databases, "filter nameOnly authorizedDatabases"),
    "listCollections": _command(descriptions.list_collections, "filter nameOnly authorizedCollections cursor"),
    "listIndexes": _command(descriptions.list_indexes, "cursor"),
    "dbStats": _command(descriptions.db_stats, "scale freeStorage"),
    "collStats": _command(descriptions.coll_stats, "scale"),
    "find": _command(reads.find, _FIND),
    "getMore": _command(reads.get_more, "collection batchSize"),
    "killCursors": _command(reads.kill_cursors, "cursors"),
    "count": _command(reads.count, "query limit skip hint"),
    "distinct": _command(reads.distinct_values, "key query"),
    "aggregate": _command(reads.aggregate, "pipeline cursor hint allowDiskUse"),
    "insert": _command(writes.insert, "documents ordered", writes=True),
    "update": _command(writes.update, "updates ordered", writes=True),
    "delete": _command(writes.delete, "deletes ordered", writes=True),
    "create": _command(writes.create, writes=True),
    "drop": _command(writes.drop, writes=True),
    "dropDatabase": _command(writes.drop_database, writes=True),
    "createIndexes": _command(writes.create_indexes, "indexes commitQuorum", writes=True),
}
