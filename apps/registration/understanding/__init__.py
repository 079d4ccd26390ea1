"""What a message means: what the person wants, and which of their data is in it. It is validated elsewhere."""
