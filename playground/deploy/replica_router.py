"""Which replica Ray Serve sends a request to: the named one, or of two drawn at random the one with less to do.

Ray's own router for sessions hashes them, so that a run would be looked for on another replica once one is added.
"""

from __future__ import annotations

import random

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica


class ReplicaRouter(RequestRouter):
    """A request's session is the unique id of its replica, or "" for any."""

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """The named replica alone, as long as it lives: it is waited for where it is full. Any other cannot know the
        run, and says so."""
        named = "" if pending_request is None else pending_request.metadata.session_id
        found = [one for one in candidate_replicas if one.replica_id.unique_id == named]
        if pending_request is not None:
            pending_request.routing_context.should_backoff = True
        if not found:
            found = random.sample(candidate_replicas, min(2, len(candidate_replicas)))
        return [found] if found else []
