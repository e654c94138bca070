"""How Playground runs: one record each for a server's settings, its limits, and the model of a terminal's command.

Flags, variables, help and docs/settings.md are drawn from the records, and types from the attributes that carry them.
pydantic-settings would bring three packages, and says what is wrong on several lines in English only. Knows no model
and no page.
"""

from playground.settings.arguments import add_flags, from_arguments, read, read_server, server_parser
from playground.settings.kinds import is_address, parse_bytes, parse_max_memory
from playground.settings.limits import PUBLIC_LIMITS, Limits
from playground.settings.model import WEIGHTS, ModelSettings
from playground.settings.server import LOCAL, ROWS, Settings
from playground.settings.setting import APP, Setting, records

__all__ = [
    "APP",
    "LOCAL",
    "PUBLIC_LIMITS",
    "ROWS",
    "WEIGHTS",
    "Limits",
    "ModelSettings",
    "Setting",
    "Settings",
    "add_flags",
    "from_arguments",
    "is_address",
    "parse_bytes",
    "parse_max_memory",
    "read",
    "read_server",
    "records",
    "server_parser",
]
