"""A model of 300 tokens that trains in milliseconds, texts for it, and trainings of them in a process of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from playground.training.plan import TrainPlan
from playground.training.training_folder import TrainingFolder
from playground.training.trainings import Trainings
from tests.ui.served import begun

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = ["lamp", "boat", "tree", "cup", "road", "bird", "hill", "door", "song", "leaf", "star", "rain"]
SETTINGS: Mapping[str, Any] = {
    "steps": 12, "batch": 2, "accumulation": 2, "cut_length": 64, "rank": 4, "learning_rate": 0.01, "evaluate_every": 4,
    "warmup": 0.0,
}  # fmt: skip


def rows(count: int = 48) -> list[dict[str, str]]:
    """Prompts with their answers, no two alike."""
    return [
        {
            "prompt": f"{WORDS[at % 12]} {at}",
            "completion": f"The {WORDS[at % 12]} and the {WORDS[(at * 5 + 3) % 12]}, {at} times.",
        }
        for at in range(count)
    ]


def lines(count: int = 48) -> bytes:
    """The same as a JSONL file."""
    return "".join(json.dumps(one) + "\n" for one in rows(count)).encode()


def small_folder(place: Path) -> Path:
    """A folder with the model and its tokenizer."""
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    special = ["<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=sorted(alphabet), show_progress=False
    )
    words.train_from_iterator([text for row in rows() for text in row.values()], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    tokenizer.chat_template = CHATML
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


def small_plan(base: Path, **settings: Any) -> TrainPlan:
    """What is trained of these settings beside the usual ones of the tests."""
    record = {"name": "Small", "base": {"name": str(base)}, "settings": {**SETTINGS, **settings}}
    return TrainPlan.of_record(record)


class Forked:
    """A training's process, forked off one that has imported what it needs. None outlives the tests. `begun` holds the
    last one of each training."""

    begun: ClassVar[dict[str, Forked]] = {}

    def __init__(self, folder: TrainingFolder, flags: Sequence[str]) -> None:
        self.process = begun("playground.training", str(folder.path), *flags, log=folder.log)
        Forked.begun[folder.id] = self

    def poll(self) -> int | None:
        return self.process.exitcode


def made(trainings: Trainings, base: Path, count: int = 48, **settings: Any) -> str:
    """A training over the rows, not started yet; its id."""
    return trainings.create(small_plan(base, **settings), ("rows.jsonl", lines(count)))
