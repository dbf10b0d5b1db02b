"""How long to wait before the next attempt."""

import random


def backoff(attempt: int, rng: random.Random, *, first: float, most: float) -> float:
    """Seconds before attempt number `attempt` + 1: doubling from `first`, at most `most`, less up to half by chance.

    The chance keeps workers that failed together from coming back together.
    """
    return float(min(first * 2 ** (attempt - 1), most)) * (1 - rng.random() / 2)
