"""What has been learned, as files that load like any others: an adapter in peft's format, or a whole model.

Knows the trainer and no training's folder but the place that it is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.models import Loaded, adapter_base
from playground.training import adapter_weights
from playground.training.checkpoint_store import replaced

if TYPE_CHECKING:
    from playground.training.run_trainer import RunTrainer


def publish(trainer: RunTrainer, place: Path, base: Loaded) -> None:
    """Replaces what is at `place` by the trainer's weights of now; `base` is what it was loaded with. Raises
    OSError."""
    if trainer.spread:  # all processes hold a part, and give it together
        state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        if trainer.is_world_process_zero():
            with replaced(place) as folder:
                _write(trainer.plain_model, folder, base, state)
    elif trainer.is_world_process_zero():
        with replaced(place) as folder:
            _write(trainer.plain_model, folder, base, None)


def _write(model: Any, folder: Path, base: Loaded, state: Any) -> None:
    if adapter_weights.is_adapted(model):
        adapter_weights.save_adapter(model, folder, state)
        adapter_base.write(folder, base.model, base.card.id, base.card.revision)
        return
    cached, model.config.use_cache = model.config.use_cache, True
    try:
        model.save_pretrained(folder, state_dict=state)
    finally:
        model.config.use_cache = cached
    base.tokenizer.save_pretrained(folder)
