"""Invoices, payments and imports over REST."""
