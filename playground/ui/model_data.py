"""What a server's models are to a visitor, as plain data: what is loaded, what is being done, what may be chosen.

Knows no element and no event. Where a model lies, what was asked for and why it failed is the owner's to see.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from playground import parameters
from playground.models import hub
from playground.models.memory_estimate import MemoryEstimate
from playground.models.model_choice import ModelChoice
from playground.serving.model_pool import ModelPool, PoolEntry, PoolEvent, PoolState
from playground.tasks import knob_presets
from playground.types import Generator
from playground.ui.page_texts import bilingual

_EVENTS = 5  # of what was loaded and unloaded, the newest
_USUAL = ("temperature", "top_k", "top_p", "repetition_penalty")  # what most generation_configs set


def pool_data(pool: ModelPool, *, owner: bool) -> dict[str, Any]:
    """The state of the pool, for its owner or for a visitor."""
    entries = pool.entries()
    return {
        **_state(pool.state(), owner),
        "entries": [_entry(one, owner) for one in entries],
        "events": [_event(one) for one in pool.events()[:_EVENTS]] if owner else [],
        "own": own_settings(pool.current),
    }


def entry_key(choice: ModelChoice) -> str:
    """Names a loaded model without saying where it lies."""
    record = json.dumps(choice.as_record(), sort_keys=True)
    return hashlib.sha256(record.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def own_settings(generator: Generator | None) -> dict[str, Any] | None:
    """The knobs that the model's own generation_config sets, the usual ones that it leaves out, and what it names that
    is no knob here, with the reason."""
    if generator is None:
        return None
    values = knob_presets.from_model(generator.card.generation_defaults)
    known = parameters.by_name()
    labels = {name: bilingual(known[name].label) for name in (*values, *_USUAL)}
    beyond = knob_presets.lacking(generator.card.generation_defaults)
    return {
        "values": values,
        "lacks": [name for name in _USUAL if name not in values],
        "labels": labels,
        "beyond": [{"name": name, "reason": bilingual(reason)} for name, reason in beyond.items()],
    }


def estimate_data(estimate: MemoryEstimate | None) -> dict[str, Any] | None:
    """Bytes by what they are for; None where nothing was estimated."""
    if estimate is None:
        return None
    return {
        "weights": estimate.weights,
        "packed": estimate.packed,
        "kv_cache": estimate.kv_cache,
        "beside": estimate.beside,
        "held": estimate.held,
        "total": estimate.total,
        "need": max(estimate.total, estimate.held + estimate.peak),
        "context": estimate.context,
        "download": estimate.download,
        "loaded_now": estimate.loaded_now,
        "free": estimate.free,
        "fits": estimate.fits,
        "basis": estimate.basis,
    }


def hub_data() -> dict[str, Any]:
    """Where models are downloaded from, and whether a token goes with it; the token itself is never told."""
    return {"address": hub.address(), "token": hub.has_token()}


def _state(state: PoolState, owner: bool) -> dict[str, Any]:
    download = state.download
    return {
        "phase": state.phase,
        "busy": state.busy,
        "loaded": state.loaded,
        "name": state.choice.label if owner and state.choice is not None else None,
        "stage": bilingual(state.stage) if owner else None,
        "share": state.share,
        "download": None
        if download is None
        else {"done": download.done, "total": download.total, "rate": download.rate, "left": download.left},
        "waits_for": state.waits_for,
        "reason": bilingual(state.reason) if owner else None,
        "estimate": estimate_data(state.estimate),
        "seconds": round(state.seconds),
        "cancelling": state.cancelling,
    }


def _entry(entry: PoolEntry, owner: bool) -> dict[str, Any]:
    card = entry.card
    told: Mapping[str, Any] = {"name": entry.choice.label, "choice": entry.choice.as_record()} if owner else {}
    return {
        "key": entry_key(entry.choice),
        "id": card.id if owner else card.title,
        "title": card.title,
        "revision": card.revision,
        "dtype": card.dtype,
        "context": card.context,
        "size": card.size,
        "current": entry.current,
        "measured": entry.measured,
        "grown": entry.grown,
        "estimate": estimate_data(entry.estimate),
        "busy": entry.busy,
        "idle": round(entry.idle),
        **told,
    }


def _event(event: PoolEvent) -> dict[str, Any]:
    return {"at": round(event.at * 1000), "kind": event.kind, "text": bilingual(event.text)}
