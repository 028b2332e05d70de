"""`python -m acuse` is the command `acuse`."""

import sys

from acuse.cli import main

if __name__ == "__main__":
    sys.exit(main())
