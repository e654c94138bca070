"""`python -m playground`: the terminal's door."""

from playground.cli.main import main
from playground.leave import leave

leave(main())
