"""``ddsbackup simulate``: days of the application on a local cloud whose clock moves."""
