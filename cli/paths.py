"""Where the command finds what belongs to the application."""

from pathlib import Path


CHECKOUT = Path(__file__).resolve().parent.parent
"""The checkout that the command is installed from, with events/, template.yaml and its schema."""
