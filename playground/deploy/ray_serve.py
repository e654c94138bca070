"""Replicas of this engine behind Ray Serve: how many, on which devices, and how they are replaced.

`python -m playground.deploy` starts it on this machine or on a Ray cluster; `application` is what a configuration file
of Ray Serve or of KubeRay names. Knows no request: gateway.py and replica_app.py do.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.config import AutoscalingConfig, HTTPOptions, RequestRouterConfig
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from playground.deploy.gateway import AllBusy, Gateway, ReplicaLost
from playground.deploy.replica_app import ReplicaApp
from playground.deploy.scale import Scale, read
from playground.settings import Settings

NAME = "playground"
REPLICA = "x-playground-replica"
"""The header of an answer that names the replica."""
_ROUTER = "playground.deploy.replica_router.ReplicaRouter"
_HEALTH_S = 5.0  # between two looks whether a replica lives
_PASSED = ("type", "method", "path", "raw_path", "query_string", "headers", "http_version", "scheme", "client")


class Engine:
    """A replica in a process of its own."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc] # Ray Serve awaits it
        self._name = serve.get_replica_context().replica_id.unique_id
        self._app = ReplicaApp(settings, self._name)
        await asyncio.to_thread(self._app.load)

    async def answer(self, scope: dict[str, Any], body: bytes) -> AsyncGenerator[Message, None]:
        """ASGI messages; the first says which replica this is."""
        async for message in self._app.answer(scope, body):
            if message["type"] == "http.response.start":
                named = (REPLICA.encode(), self._name.encode())
                yield {**message, "headers": [*message.get("headers", []), named]}
            else:
                yield message

    def __del__(self) -> None:
        self._app.stop()


class Ingress:
    """Where requests arrive: it has no model."""

    def __init__(self, settings: Settings, engine: DeploymentHandle) -> None:
        self._engine = engine
        self._gateway = Gateway(settings, self._forward)

    async def __call__(self, request: Request) -> Response:
        scope = {name: request.scope[name] for name in _PASSED if name in request.scope}
        return await self._gateway.answer(scope, await request.body())

    async def _forward(self, scope: dict[str, Any], body: bytes, replica: str) -> AsyncGenerator[Message, None]:
        answer = self._engine.options(stream=True, session_id=replica).answer.remote(scope, body)
        try:
            async for message in answer:
                yield message
        except (RayActorError, DeploymentUnavailableError) as error:
            raise ReplicaLost from error
        except BackPressureError as error:
            raise AllBusy from error
        finally:
            answer.cancel()


def build(settings: Settings, scale: Scale) -> serve.Application:
    """What Ray Serve is to run. A new call for a running one replaces its replicas one after another."""
    limits = settings.limits
    at_once = max(settings.rows, limits.running) + limits.waiting
    engine = serve.deployment(
        Engine,
        name="engine",
        autoscaling_config=AutoscalingConfig(
            min_replicas=scale.replicas,
            initial_replicas=scale.replicas,
            max_replicas=max(scale.replicas, scale.most),
            target_ongoing_requests=scale.target,
        ),
        ray_actor_options={"num_cpus": scale.cpus, "num_gpus": scale.gpus},
        max_ongoing_requests=at_once,
        max_queued_requests=limits.waiting,
        graceful_shutdown_timeout_s=scale.drain,
        max_surge_percent=scale.surge,
        health_check_period_s=_HEALTH_S,
        request_router_config=RequestRouterConfig(request_router_class=_ROUTER),
    ).bind(settings)
    ingress = serve.deployment(
        Ingress,
        name="gateway",
        num_replicas=scale.gateways,
        ray_actor_options={"num_cpus": 0},
        max_ongoing_requests=at_once * max(scale.replicas, scale.most),
        graceful_shutdown_timeout_s=scale.drain,
    )
    return ingress.bind(settings, engine)


def application(arguments: Mapping[str, Any]) -> serve.Application:
    """For configuration files: `flags` is a list of the flags of `python -m playground.deploy`."""
    settings, scale, _ = read(list(arguments.get("flags", [])))
    return build(settings, scale)


def start(settings: Settings, scale: Scale, address: str | None) -> None:
    """Starts or replaces the replicas; returns once all answer."""
    if not ray.is_initialized():
        ray.init(address=address, include_dashboard=False, log_to_driver=False)
    serve.start(http_options=HTTPOptions(host=settings.host, port=settings.port))
    serve.run(build(settings, scale), name=NAME, route_prefix="/")


def main(argv: Sequence[str] | None = None) -> None:
    """Serves until it is interrupted; on a cluster that runs already, returns once all replicas answer."""
    settings, scale, address = read(argv)
    start(settings, scale, address)
    print(f"Ready: http://{settings.host}:{settings.port}/v1", flush=True)
    if address is None:
        asyncio.run(_interrupted())
        serve.shutdown()


async def _interrupted() -> None:
    """Waits for Ctrl+C or SIGTERM."""
    ends = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ends.set)
    await ends.wait()
