"""A simulation from its options to its summary."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cli.cost.month import Prices
from cli.errors import WrongCall, did_you_mean
from cli.simulate.faults import Story
from cli.simulate.ledger import Ledger
from cli.simulate.platform import Platform
from cli.simulate.summary import Summary, summarize
from cli.simulate.world import World, make_seed, read_state
from cli.template.load import load_template, read_template
from localcloud.functiongraph.triggers import MAX_USER_EVENT


EMAIL = "dba@example.com"


@dataclass(frozen=True, slots=True)
class Options:
    """What to simulate.

    Attributes:
        state: a seed file of the local cloud, in place of made-up instances.
        parameters: values of the template's parameters.
        settings: environment variables of functions, as NAME or FUNCTION.NAME.
        call_seconds: how long a call of DDS or SMN takes.
    """

    template: Path
    begin: datetime
    days: int = 90
    seed: int = 0
    instances: int = 12
    state: Path | None = None
    story: Story = field(default_factory=Story)
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    call_seconds: float = 0.2
    prices: Prices = field(default_factory=Prices)


def simulate(options: Options, on_day: Callable[[int], None] = lambda _: None) -> tuple[Summary, Platform]:
    """Play the days. Raises WrongCall for options, a template or a file that cannot be used."""
    given = read_state(options.state) if options.state else make_seed(options.seed, options.instances)
    world = World.make(options.seed, options.begin.timestamp(), given)
    template = load_template(options.template, _values(options, world))
    for function in template.functions:
        for event in function.events:
            if len(str(event.properties.get("user_event", ""))) > MAX_USER_EVENT:
                raise WrongCall(
                    f"the user_event of {function.name} {event.name} is longer than the {MAX_USER_EVENT} characters of "
                    "a timer: simulate fewer instances, or select them by tags in the template"
                )
    platform = Platform(
        template, world, Ledger(world.clock.now()), call_seconds=options.call_seconds, changes=options.settings
    )
    world.story = options.story.story
    platform.play(options.days, list(world.set_faults(options.story.faults, options.days)), on_day)
    return summarize(platform, options.days, options.prices), platform


def _values(options: Options, world: World) -> dict[str, str]:
    """Return a value for each parameter: the one that is given, the default, or one that suits."""
    parameters = read_template(options.template).template.parameters
    for name in options.parameters:
        if name not in parameters:
            raise WrongCall(f"--parameter: the template has no parameter {name!r}{did_you_mean(name, parameters)}")
    values = dict(options.parameters)
    for name, parameter in parameters.items():
        if name in values or parameter.default is not None or not parameter.is_used:
            continue
        if name == "InstanceId":
            # The template has it between quotes in a list, so this makes a list of all of them.
            values[name] = '", "'.join(one.id for one in world.sources())
        elif "email" in name.lower():
            values[name] = EMAIL
        else:
            raise WrongCall(f"the parameter {name} has no default: give --parameter {name}=VALUE")
    return values
