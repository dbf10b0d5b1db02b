"""What runs inside the function's process, started by `start.py` next door; the standard library only."""
