"""From policies to reminders: what is due, put into words, handed over, exactly once."""
