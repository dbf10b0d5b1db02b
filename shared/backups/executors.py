"""Who does the work of an event: threads, or for a single piece of it nobody else."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar


ResultT = TypeVar("ResultT")


def executor_for(pieces: int, concurrency: int) -> Executor:
    """At most `concurrency` threads; none for a single piece of work, which a thread would only make slower."""
    return ThreadPoolExecutor(concurrency, thread_name_prefix="backup") if pieces > 1 else InThisThread()


class InThisThread(Executor):
    """Does what is submitted at once, in the thread that submits it."""

    def submit(self, work: Callable[..., ResultT], /, *args: Any, **kwargs: Any) -> Future[ResultT]:
        """A future that is over: as with threads, it raises what the work raised."""
        future: Future[ResultT] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 it is raised where the result is asked for
            future.set_exception(error)
        return future
