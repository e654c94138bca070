"""`python -m playground`: the terminal's door."""

import sys

from playground.cli import main

sys.exit(main())
