"""How many replicas there are and what each takes, from the flags of `python -m playground.deploy`.

Knows no Ray, so that a wrong flag is said where Ray is not installed, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from playground.settings import Settings, from_arguments
from playground.types import PlaygroundError, Text

_EPILOG = "All flags of app.py that concern model, address, keys, paths and limits are taken, too."


@dataclass(frozen=True, slots=True)
class Scale:
    """How many replicas, and what each takes. `target` is how many requests of one run or wait before another replica
    is started; `drain` is how many seconds a replica that is replaced may still write. While all are replaced, `surge`
    percent of them may be there twice."""

    replicas: int = 1
    most: int = 1
    cpus: float = 1.0
    gpus: float = 0.0
    target: float = 8.0
    drain: float = 600.0
    surge: int = 0
    gateways: int = 1


def parser() -> argparse.ArgumentParser:
    """The flags of its own; what it does not know, app.py does. Argparse refuses what is no number."""
    own = Scale()
    flags = argparse.ArgumentParser(prog="python -m playground.deploy", allow_abbrev=False, epilog=_EPILOG)
    flags.add_argument("--replicas", type=int, default=own.replicas, help="replicas that are always there")
    flags.add_argument("--most-replicas", type=int, default=own.most, help="replicas at most, as requests wait")
    flags.add_argument("--cpus", type=float, default=own.cpus, help="processors of a replica")
    flags.add_argument("--gpus", type=float, default=own.gpus, help="GPUs of a replica, on one machine")
    flags.add_argument("--target", type=float, default=own.target, help="requests of a replica before one more starts")
    flags.add_argument("--drain", type=float, default=own.drain, help="seconds that a replaced replica may still write")
    flags.add_argument("--surge", type=int, default=own.surge, help="percent more replicas while all are replaced")
    flags.add_argument("--gateways", type=int, default=own.gateways, help="processes that take the requests")
    flags.add_argument("--address", default=None, help="a running Ray cluster (auto: this machine's)")
    return flags


def read(argv: Sequence[str] | None) -> tuple[Settings, Scale, str | None]:
    """Settings, scale and the cluster's address. Raises PlaygroundError for numbers that cannot be, and where others
    could use it without a key."""
    given, rest = parser().parse_known_args(argv)
    settings = from_arguments(rest)
    if settings.public and not settings.api_keys:
        raise PlaygroundError(
            Text("Other people can reach this address, so it needs a key.", "他人可访问此地址，因此需要密钥。"),
            Text("Give a file of keys with --api-key-file.", "请用 --api-key-file 给出密钥文件。"),
        )
    least = min(given.cpus, given.gpus, given.drain, given.surge)
    if min(given.replicas, given.gateways) < 1 or least < 0 or given.target <= 0:
        raise PlaygroundError(
            Text(
                "replicas, gateways and target must be above 0, and cpus, gpus, drain and surge not below.",
                "replicas、gateways 和 target 应大于 0，cpus、gpus、drain 和 surge 不应小于 0。",
            )
        )
    scale = Scale(
        replicas=given.replicas,
        most=given.most_replicas,
        cpus=given.cpus,
        gpus=given.gpus,
        target=given.target,
        drain=given.drain,
        surge=given.surge,
        gateways=given.gateways,
    )
    return settings, scale, given.address
