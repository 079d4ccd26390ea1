"""The restore drill: a backup is made, the servers are destroyed, and others take over from it."""
