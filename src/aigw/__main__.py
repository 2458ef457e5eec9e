"""``python -m aigw``: the command line."""

import sys

from aigw.cli import main

if __name__ == "__main__":
    sys.exit(main())
