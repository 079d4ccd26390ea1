"""What was confirmed is applied once: to the vault, and by a signed call to the organization's own API."""
