import sys

from recado_cli.main import main

sys.exit(main())
