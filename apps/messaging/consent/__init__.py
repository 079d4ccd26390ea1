"""What people allow and refuse, and how that is kept to."""
