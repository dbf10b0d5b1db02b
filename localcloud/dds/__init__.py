"""Document Database Service: instances, backups, jobs, backup policies and tags."""
