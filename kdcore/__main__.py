"""`python -m kdcore`: see `kdcore.cli.main`."""

import sys

from kdcore.cli.interrupts import ends_at_once

if __name__ == "__main__":
    with ends_at_once():
        from kdcore.cli.main import main
    sys.exit(main())
