"""Untrusted input is read in a worker process, which is killed when it takes more than it is allowed.

`run_isolated` is the only way in. Knows neither what is read nor who sent it.
"""

from playground.isolation.pool import LimitExceeded, ResourceLimits, run_isolated

__all__ = ["LimitExceeded", "ResourceLimits", "run_isolated"]
