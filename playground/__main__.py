"""`python -m playground`: the terminal's door."""

from playground.cli import main
from playground.leave import leave

leave(main())
