"""Document Database Service: instances, backups, jobs."""
