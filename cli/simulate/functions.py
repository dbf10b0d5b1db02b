"""The functions of a template in a simulation: their own code, with the template's settings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cli.errors import WrongCall, did_you_mean
from cli.preflight.functions import FUNCTIONS
from cli.simulate.clock import FunctionClock, SimulatedClock, SimulatedWorkers
from cli.simulate.cloud import Services
from cli.simulate.world import World
from cli.template.document import fill_in, references
from cli.template.model import Function, Template
from shared import bootstrap
from shared.audit.function import run as audit
from shared.create.function import run as create
from shared.drill.function import make_inspector
from shared.drill.function import run as drill
from shared.errors import SettingsError
from shared.prune.function import run as prune
from shared.report import Report
from shared.track.function import run as track


_RUNS: Mapping[str, Callable[..., Any]] = {
    "create_backup": create,
    "track_backups": track,
    "prune_backups": prune,
    "audit_backups": audit,
    "drill_backups": partial(drill, inspect=make_inspector),
}


@dataclass(frozen=True, slots=True)
class _Context:
    """FunctionGraph's context of an invocation."""

    # ruff: noqa: N802 the names are the platform's

    clock: SimulatedClock
    function: str
    request_id: str
    project_id: str
    ends: float
    settings: Mapping[str, str]

    def getRequestID(self) -> str:
        return self.request_id

    def getRemainingTimeInMilliSeconds(self) -> int:
        return max(0, int(1000 * (self.ends - self.clock.now())))

    def getUserData(self, key: str) -> str | None:
        return self.settings.get(key)

    def getSecurityAccessKey(self) -> str:
        return "SIMULATED"

    def getSecuritySecretKey(self) -> str:
        return "simulated-key"

    def getSecurityToken(self) -> str:
        return "simulated-token"

    def getProjectID(self) -> str:
        return self.project_id

    def getFunctionName(self) -> str:
        return self.function

    def getVersion(self) -> str:
        return "latest"

    def getPackage(self) -> str:
        return "default"


@dataclass
class Deployed:
    """A function of the template, started once.

    Attributes:
        kind: the folder of its code.
        last: the report of the invocation that ended last; None if it has none.
        cpu: seconds of this machine that its invocations took.
        silent: when its timers do not fire: begin, end, position of the fault.
    """

    spec: Function
    kind: str
    settings: Mapping[str, str]
    function: bootstrap.Function[Any]
    last: Report | None = None
    cpu: float = 0.0
    silent: list[tuple[float, float, int]] = field(default_factory=list)

    def invoke(self, event: object, request_id: str, world: World) -> str | None:
        """Handle an event. Return the error in which it ended, if it did."""
        self.last = None
        try:
            self.function.handle(event, self._context(world, request_id, self.spec.timeout))
        except RuntimeError:
            raise  # of the simulation itself
        except Exception as error:  # noqa: BLE001 whatever a function raises fails its invocation
            return f"{type(error).__name__}: {error}"
        return None

    def start(self, world: World) -> None:
        """Read the settings. Raises WrongCall if the function rejects them."""
        try:
            self.function.start(self._context(world, "start", self.spec.initializer_timeout))
        except SettingsError as error:
            raise WrongCall(f"{self.spec.name}: {error}") from error

    def _context(self, world: World, request_id: str, seconds: float) -> "_Context":
        ends = world.clock.now() + seconds
        return _Context(world.clock, self.spec.name, request_id, world.region.project_id, ends, self.settings)


def deploy(
    template: Template, urns: Mapping[str, str], services: Services, world: World, changes: Mapping[str, str]
) -> Iterator[Deployed]:
    """Yield the functions of this application; others have no code here. `urns` has the URN of each topic.

    Raises WrongCall for settings that cannot be used.
    """
    _check_changes(template, changes)
    for spec in template.functions:
        kind = kind_of(spec)
        if kind not in FUNCTIONS:
            continue
        settings = _settings(spec, urns, world, changes)
        run = _Recorded(_RUNS[kind])
        function = bootstrap.Function(
            FUNCTIONS[kind].settings,
            run,
            connect=services.connect,
            clock=FunctionClock(world.clock),
            rng=world.rng,
            workers=SimulatedWorkers(world.clock),
            environment=settings,
        )
        deployed = Deployed(spec, kind, settings, function)
        run.deployed = deployed
        deployed.start(world)
        yield deployed


class _Recorded:
    """What a function runs, and the last report of it."""

    deployed: Deployed

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run

    def __call__(self, event: object, scope: Any) -> Any:
        received, self.deployed.last = self._run(event, scope)
        return received, self.deployed.last


def _settings(spec: Function, urns: Mapping[str, str], world: World, changes: Mapping[str, str]) -> dict[str, str]:
    kind = kind_of(spec)
    known = FUNCTIONS[kind].settings.model_fields
    settings: dict[str, str] = {name: str(fill_in(value, urns)) for name, value in spec.variables.items()}
    for name, value in changes.items():
        function, _, setting = name.rpartition(".")
        if function in {"", spec.name, kind} and setting in known:
            settings[setting] = value
    for name, value in settings.items():
        if missing := next(references(value), None):
            raise WrongCall(f"the setting {name} of {spec.name} needs the parameter {missing[1]}: give --parameter")
    settings = {name: value for name, value in settings.items() if value}
    settings |= {"REGION": world.region.id, "LOG_LEVEL": "ERROR"}
    if kind != "create_backup":
        settings["MAX_CONCURRENCY"] = "1"  # the others publish and delete with threads, here one after the other
    if kind == "drill_backups":
        settings["DRILL_CONNECT"] = "false"  # there is no data plane
    return settings


def _check_changes(template: Template, changes: Mapping[str, str]) -> None:
    """Raise WrongCall for a setting that no function has."""
    functions = [one for one in template.functions if kind_of(one) in FUNCTIONS]
    for name in changes:
        function, _, setting = name.rpartition(".")
        meant = [one for one in functions if function in {"", one.name, kind_of(one)}]
        known = {field for one in meant for field in FUNCTIONS[kind_of(one)].settings.model_fields}
        if not meant:
            names = [one.name for one in functions]
            raise WrongCall(f"--setting: found the function {function!r}{did_you_mean(function, names)}")
        if setting not in known:
            raise WrongCall(f"--setting: found {setting!r}, which is no setting{did_you_mean(setting, known)}")


def kind_of(function: Function) -> str:
    """Return which of this application's functions it is: the name of its folder."""
    return function.code_uri.name
