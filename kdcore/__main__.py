"""`python -m kdcore`: see `kdcore.cli.main`."""

import sys

from kdcore.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
