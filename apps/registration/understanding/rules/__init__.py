"""Reads messages by rules: at once, without a model, alike every time. Portuguese as in Brazil, and English."""
