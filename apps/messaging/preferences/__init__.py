"""The page on which a person, by a signed link and without a log-in, chooses what they get."""
