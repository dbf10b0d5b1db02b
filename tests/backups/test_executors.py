"""A single piece of work is done in the thread that has it."""

import threading

import pytest

from shared.backups.executors import executor_for


@pytest.mark.parametrize(("pieces", "elsewhere"), [(0, False), (1, False), (2, True)])
def test_threads_are_for_several_pieces(pieces: int, elsewhere: bool) -> None:
    """One alone would only wait for its thread."""
    with executor_for(pieces, 4) as pool:
        thread = pool.submit(threading.get_ident).result()

    assert (thread != threading.get_ident()) is elsewhere


@pytest.mark.parametrize("pieces", [1, 2])
def test_what_is_raised_is_raised_with_the_result(pieces: int) -> None:
    """Not where the work is submitted."""
    with executor_for(pieces, 4) as pool:
        future = pool.submit(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        future.result()
