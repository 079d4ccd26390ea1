"""Recado at the command line."""

import os

# What gRPC itself says about broken connections helps nobody at a terminal. It reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

__version__ = "0.1.0"
