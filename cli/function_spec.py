"""A function of the template as the runtime takes it, with its code where the template says."""

from cli.template.model import Function
from localcloud.functiongraph.runtime.model import FunctionSpec


def function_spec(function: Function, timeout: float | None = None) -> FunctionSpec:
    """Return what runs *function* from the checkout; *timeout* (seconds) replaces the one of the template."""
    return FunctionSpec(
        name=function.name,
        handler=function.handler,
        initializer=function.initializer,
        initializer_timeout=function.initializer_timeout,
        timeout=function.timeout if timeout is None else timeout,
        memory_size=function.memory_size,
        code_root=function.code_root,
        code_uri=function.code_uri,
    )
