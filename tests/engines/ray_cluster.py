"""Drives two replicas behind Ray Serve over HTTP, kills one in mid-stream, replaces them all, and counts.

`tests/engines/ray.sh` sets up what it needs. It waits for what it expects, and nothing is judged by time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import ray
import torch
import transformers
from ray import serve
from ray.util import list_named_actors

from playground import generate, wire_format
from playground.deploy import ray_serve
from playground.deploy.ray_serve import REPLICA, Scale
from playground.generators.remote.opening import open_playground
from playground.inspection import inspect_api
from playground.run import Run
from playground.settings import Limits, Settings
from playground.types import Generator
from tests.ui.served import free_port

STREAMS = 6
_LONG, _SHORT = 96, 8  # tokens
_PATIENCE = 900.0  # seconds: loading twice on a busy machine
RUN: dict[str, Any] = {"prompt": "The old lighthouse", "seed": 7, "path": "exact"}


@dataclass
class Stream:
    """One stream as its client saw it."""

    replica: str = ""
    run: str = ""
    tokens: int = 0
    finish: str | None = None
    error: str | None = None
    done: bool = False
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def end(self) -> str:
        """How it ended; "silently" is what must never be."""
        if self.done and self.finish:
            return "finished"
        return "ended with a reason" if self.done and self.error else "ended silently"


class Driver:
    """A client of the cluster, and what it found."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url, self._http = url, http
        self.found: list[tuple[str, str]] = []

    def note(self, what: str, figure: object, good: bool) -> None:
        self.found.append((what, str(figure)))
        print(f"{'ok  ' if good else 'FAIL'} {what}: {figure}", flush=True)
        if not good:
            raise SystemExit(f"broken: {what}: {figure}")

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self._http.post(f"{self._url}/v1/{path}", json=body)

    async def short(self, seed: int) -> httpx.Response:
        return await self.post("completions", {**RUN, "seed": seed, "max_tokens": _SHORT})

    async def kept(self, seed: int) -> tuple[str, str]:
        """A run whose logits are kept, and the replica that wrote it."""
        body = {**RUN, "seed": seed, "max_tokens": _SHORT, "playground": {"keep": True}}
        answer = await self.post("completions", body)
        assert answer.status_code == 200, answer.text
        return answer.json()["choices"][0]["playground"]["run"], answer.headers[REPLICA]

    async def replay(self, run: str) -> httpx.Response:
        body = {"version": wire_format.VERSION, "run_id": run, "row": 0, "values": {"temperature": 2.0}}
        return await self.post("playground/replay", body)

    async def stream(self, one: Stream, seed: int, tokens: int = _LONG) -> None:
        body = {**RUN, "seed": seed, "max_tokens": tokens, "stream": True, "ignore_eos": True}
        async with self._http.stream("POST", f"{self._url}/v1/completions", json=body) as answer:
            one.replica = answer.headers.get(REPLICA, "")
            async for line in answer.aiter_lines():
                data = line.removeprefix("data: ")
                if data == "[DONE]":
                    one.done = True
                elif line.startswith("data: "):
                    self._take(one, json.loads(data))

    def _take(self, one: Stream, event: dict[str, Any]) -> None:
        if "error" in event:
            one.error = event["error"]["message"]
            return
        for choice in event["choices"]:
            one.tokens += bool(choice["text"])
            one.finish = choice["finish_reason"] or one.finish
        if one.tokens:
            one.begun.set()

    async def streams(self, count: int, tokens: int = _LONG) -> tuple[list[Stream], list[asyncio.Task[None]]]:
        """So many, once each has written something."""
        opened = [Stream() for _ in range(count)]
        tasks = [asyncio.create_task(self.stream(one, 100 + at, tokens)) for at, one in enumerate(opened)]
        await asyncio.gather(*(one.begun.wait() for one in opened))
        return opened, tasks


def replicas() -> dict[str, Any]:
    """The actors of the engines that live, by their unique ids."""
    names = [one["name"] for one in list_named_actors(all_namespaces=True) if "#engine#" in one["name"]]
    return {name.rpartition("#")[2]: ray.get_actor(name, namespace="serve") for name in names}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.5)


async def both_answer(driver: Driver) -> None:
    answers = await asyncio.gather(*(driver.short(seed) for seed in range(8)))
    driver.note("requests answered of 8 at once", sum(one.status_code == 200 for one in answers),
                all(one.status_code == 200 for one in answers))  # fmt: skip
    shared = Counter(one.headers[REPLICA] for one in answers)
    driver.note("replicas that answered them", len(shared), len(shared) == 2)
    texts = {(await driver.short(3)).json()["choices"][0]["text"] for _ in range(6)}
    driver.note("texts of one seed, asked six times of either", len(texts), len(texts) == 1)


async def questions_find_their_run(driver: Driver) -> dict[str, str]:
    runs = dict([await driver.kept(seed) for seed in range(6)])
    answers = {run: await driver.replay(run) for run in runs for _ in range(3)}
    right = sum(one.status_code == 200 and one.headers[REPLICA] == runs[run] for run, one in answers.items())
    driver.note("replicas that wrote these 6 runs", len(set(runs.values())), len(set(runs.values())) == 2)
    driver.note("what-if answered by the replica of its run, of 6", right, right == 6)
    return runs


def run_through(peer: Generator, seed: int, tokens: int, begun: threading.Event | None = None) -> Run:
    """A kept run as the page makes it, with the replicas behind its own generator for other Playgrounds."""
    values = {"seed": seed, "max_new_tokens": tokens, "ignore_eos": True}
    asked = generate.build(RUN["prompt"], values, keep=inspect_api.new_run_id())
    growing = generate.run(asked, peer)
    run = next(growing)
    for run in growing:
        if begun is not None and run.candidates[0].generated:
            begun.set()
    return run


async def the_page_stands_before_them(driver: Driver, peer: Generator) -> None:
    runs = await asyncio.gather(*(asyncio.to_thread(run_through, peer, seed, _SHORT) for seed in range(4)))
    driver.note("runs through the page's generator for other Playgrounds, of 4", sum(one.finished for one in runs),
                all(one.candidates[0].finish_reason == "length" for one in runs))  # fmt: skip
    hot = [(one.request.keep, {**one.request.values, "temperature": 2.0}) for one in runs]
    found = [await asyncio.to_thread(inspect_api.replay, keep, 0, values) for keep, values in hot]
    driver.note("of them answered a what-if", len(found), all(len(one.tokens) == _SHORT for one in found))


async def one_is_killed(driver: Driver, peer: Generator, runs: dict[str, str]) -> None:
    begun = [threading.Event() for _ in range(4)]
    runners = (asyncio.to_thread(run_through, peer, at, _LONG, one) for at, one in enumerate(begun))
    through = [asyncio.create_task(one) for one in runners]
    await asyncio.gather(*(asyncio.to_thread(one.wait, _PATIENCE) for one in begun))
    streams, tasks = await driver.streams(STREAMS)
    victim = Counter(one.replica for one in streams if not one.done).most_common(1)[0][0]
    hit = sum(one.replica == victim for one in streams)
    driver.note(f"of {STREAMS} streams, on the replica that is killed", hit, hit > 0)
    ray.kill(replicas()[victim])  # at once, as a crash would
    at_once = [await driver.short(seed) for seed in range(10)]
    await asyncio.gather(*tasks)
    ends = Counter(one.end for one in streams)
    broken, finished = ends["ended with a reason"], ends["finished"]
    driver.note("of them ended with a reason (others had finished before)", broken, 0 < broken <= hit)
    driver.note("of the others finished", finished - (hit - broken), finished == STREAMS - broken)
    driver.note("ended silently", ends["ended silently"], ends["ended silently"] == 0)
    rows = [one.candidates[0] for one in await asyncio.gather(*through)]
    said = Counter(f"{row.finish_reason}{', with a reason' if row.reason else ''}" for row in rows)
    driver.note("ends of 4 runs through the page's generator", dict(said),
                all(row.finish_reason == "length" or (row.reason and row.text) for row in rows))  # fmt: skip
    driver.note("the reason", next(one.error for one in streams if one.error), True)
    served = sum(one.status_code == 200 for one in at_once)
    driver.note("new requests answered right after, of 10", served, served == 10)
    gone = next(run for run, replica in runs.items() if replica == victim)
    lost = await driver.replay(gone)
    said = lost.json()["error"]["message"]
    driver.note("what-if of a run that died with it", f"{lost.status_code}, {said}", lost.status_code >= 400)
    left = next((run for run, replica in runs.items() if replica != victim), None)
    if left is not None:
        driver.note("what-if of a run on the other", (await driver.replay(left)).status_code,
                    (await driver.replay(left)).status_code == 200)  # fmt: skip
    await until(lambda: len(replicas()) == 2 and victim not in replicas())
    driver.note("replicas some time later", 2, True)


async def a_client_leaves(driver: Driver) -> None:
    _, tasks = await driver.streams(2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    answers = await asyncio.gather(*(driver.short(seed) for seed in range(4)))
    driver.note("requests answered after two clients left, of 4", sum(one.status_code == 200 for one in answers),
                all(one.status_code == 200 for one in answers))  # fmt: skip


async def all_are_replaced(driver: Driver, settings: Settings, scale: Scale) -> None:
    before = set(replicas())
    streams, tasks = await driver.streams(2)
    update = asyncio.create_task(asyncio.to_thread(ray_serve.start, settings, scale, None))
    statuses: Counter[int] = Counter()
    while not update.done():
        statuses[(await driver.short(1)).status_code] += 1
    await update
    await asyncio.gather(*tasks)
    driver.note("streams that went on through a rolling update, of 2", sum(one.end == "finished" for one in streams),
                all(one.end == "finished" for one in streams))  # fmt: skip
    driver.note("answers meanwhile that were not 200", sum(statuses.values()) - statuses[200], set(statuses) <= {200})
    await until(lambda: not before & set(replicas()))
    driver.note("old replicas left", 0, True)


async def more_start_as_requests_wait(driver: Driver) -> None:
    streams, tasks = await driver.streams(4, _LONG // 2)
    waits = [asyncio.create_task(driver.stream(Stream(), 200 + at, _SHORT)) for at in range(8)]
    await until(lambda: len(replicas()) >= 2)
    driver.note("replicas, at first one, as twelve requests run or wait", len(replicas()), True)
    await asyncio.gather(*tasks, *waits)
    driver.note("streams finished meanwhile, of 4", sum(one.end == "finished" for one in streams),
                all(one.end == "finished" for one in streams))  # fmt: skip


async def drive(settings: Settings, scale: Scale) -> list[tuple[str, str]]:
    async with httpx.AsyncClient(timeout=_PATIENCE) as http:
        driver = Driver(f"http://127.0.0.1:{settings.port}", http)
        await more_start_as_requests_wait(driver)
        scale = replace(scale, replicas=2)
        await asyncio.to_thread(ray_serve.start, settings, scale, None)
        await both_answer(driver)
        runs = await questions_find_their_run(driver)
        peer = await asyncio.to_thread(open_playground, f"http://127.0.0.1:{settings.port}")
        assert peer is not None, "another Playground answers"
        await the_page_stands_before_them(driver, peer)
        await one_is_killed(driver, peer, runs)
        await a_client_leaves(driver)
        await all_are_replaced(driver, replace(settings, limits=Limits(prompt_characters=50_000)), scale)
        return driver.found


def report(found: list[tuple[str, str]]) -> str:
    versions = f"Ray {ray.__version__}, torch {torch.__version__}, transformers {transformers.__version__}"
    rows = "\n".join(f"| {what} | {figure} |" for what, figure in found)
    return (
        "# Two replicas behind Ray Serve\n\nWritten by `tests/engines/ray.sh`, on the processors of one machine "
        f"({os.cpu_count()} cores), with the embedded model: {versions}, Python {sys.version.split()[0]}.\n\n"
        f"| what | found |\n|---|---|\n{rows}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    settings, scale = Settings(port=free_port(), path="exact"), Scale(replicas=1, most=2, cpus=0.5, target=1.0)
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    try:
        ray_serve.start(settings, scale, None)
        found = asyncio.run(drive(settings, scale))
    finally:
        serve.shutdown()
        ray.shutdown()
    if given.report is not None:
        given.report.write_text(report(found), encoding="utf-8")


if __name__ == "__main__":
    main()
