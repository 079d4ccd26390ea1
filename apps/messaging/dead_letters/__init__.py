"""Messages that failed for good: why, which, and what is done about them, one by one or all that are alike."""
