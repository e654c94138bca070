"""What of the engine's speed reaches its readers over HTTP: `python -m benchmarks.served`.

The engine without a page, in this process, and the app with clients in two others take turns. Both are asked for the
same texts; a rate counts every token from the first request to the last token, prompts included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks import asked
from benchmarks.clients import Answer, Clients
from benchmarks.figure import Figure, Findings
from benchmarks.readers import read, total, warm
from benchmarks.scale import FULL, Scale
from benchmarks.server import ROOM, App, app
from benchmarks.speed import SESSIONS, fast
from playground import models
from playground.generators.local import LocalGenerator


def client_shares(loaded: models.Loaded, scale: Scale = FULL) -> Findings:
    findings, generator = Findings(), fast(loaded)
    with app(*ROOM) as opened:
        for count, tokens in ((1, scale.served), (SESSIONS, scale.served_16)):
            with Clients(opened.url, count) as clients:
                _shares(findings, generator, opened, clients, count, tokens, scale.rounds)
    return findings


def reached(answers: Sequence[Answer]) -> float:
    """Tokens/s of all together, from the first request to the last token."""
    failed = [answer.error for answer in answers if answer.error or not answer.updates]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(answers)} requests failed: {failed[0]}")
    last = max(answer.updates[-1][0] for answer in answers)
    return sum(answer.tokens for answer in answers) / (last - min(answer.began for answer in answers))


def _shares(
    findings: Findings, generator: LocalGenerator, opened: App, clients: Clients, count: int, tokens: int, rounds: int
) -> None:
    def given(number: int) -> list[dict[str, Any]]:
        return [asked.arguments(session, tokens, number) for session in range(count)]

    def engine(number: int) -> float:
        return total(read(generator, [asked.request(one) for one in given(number)]))

    def page(number: int) -> list[Answer]:
        return clients.ask([{**one, "path": "fast"} for one in given(number)])

    warm(lambda: engine(asked.WARM))
    for number in (asked.WARM + 1, asked.WARM + 2):
        page(number)
        opened.rest()
    found = [(engine(number), reached(page(number))) for number in range(rounds)]
    findings.table += [
        f"{count} session{'s' if count > 1 else ''}, {tokens} tokens each, tokens/s of all",
        f"  {'the engine alone':<20}{Figure.of(one for one, _ in found)}",
        f"  {'over HTTP':<20}{Figure.of(one for _, one in found)}",
    ]
    findings.found(f"client_share_{count}", (served / made for made, served in found))


if __name__ == "__main__":
    print(client_shares(models.load(weights="bf16")))
