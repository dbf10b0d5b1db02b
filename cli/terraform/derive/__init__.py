"""The schema of the provider, derived from its source: see ``python -m cli.terraform.derive --help``."""
