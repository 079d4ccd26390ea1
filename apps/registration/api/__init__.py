"""Registration flows, registrations and the people of the vault over REST."""
