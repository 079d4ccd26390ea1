"""Written by proto/generate.py from proto/recado/v1/recado.proto. Change that, and run `make proto`."""
