"""The command line is installed on its own; here it is imported from where it lies."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "clients" / "cli" / "src"))
