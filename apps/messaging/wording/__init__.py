"""Templates: messages that are written once and sent often."""
