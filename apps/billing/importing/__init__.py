"""Files of invoices, read row by row."""
