"""Beam search: `model.generate()` with the same samplers as its processors, a turn for each of its forward passes.

A search knows its text only at the end, so until then it yields empty Steps, by which a caller can look at the clock
or cancel; the first real Step takes them back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    StopStringCriteria,
)

from playground.decoding.failures import why
from playground.decoding.row import Setting
from playground.decoding.searched import Halted, Searched
from playground.decoding.turns import Turns
from playground.decoding.words import Writer, Written
from playground.models import capabilities
from playground.sampling.candidates import Candidates
from playground.sampling.pipeline import Context, SamplerPipeline
from playground.types import FinishReason, Step, Text

HEARTBEAT_S = 0.25

# generate() fills what is unset from the model's own generation_config, so every sampler is switched off by name.
_NEUTRAL: dict[str, Any] = {
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": None,
    "top_h": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "sequence_bias": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "exponential_decay_length_penalty": None,
    "min_length": 0,
    "min_new_tokens": None,
    "guidance_scale": None,
    "watermarking_config": None,
    "renormalize_logits": False,
    "remove_invalid_values": False,
}


class _Samplers(LogitsProcessor):
    """The pipeline as one of transformers' processors; it takes all beams at once."""

    def __init__(self, pipeline: SamplerPipeline) -> None:
        self._pipeline = pipeline

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return self._pipeline.apply(Candidates(scores, list(input_ids), strict=True))


class _Halt(StoppingCriteria):
    """Ends every beam when the search is cancelled or its time is up."""

    def __init__(self, search: BeamSearch) -> None:
        self._search = search

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        return torch.full((input_ids.shape[0],), self._search.halted(), device=input_ids.device, dtype=torch.bool)


class _Stop(StoppingCriteria):
    """Ends a beam with its stop string: as the library does, but not inside a thought."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._strings = StopStringCriteria(setting.tokenizer, setting.values["stop"])

    def __call__(self, input_ids: Tensor, scores: Any, **more: Any) -> Tensor:
        ended: Tensor = self._strings(input_ids, scores, **more)
        if self._setting.thinks is None:
            return ended
        for beam in ended.nonzero().flatten().tolist():
            writer = _writer(self._setting)
            answer = input_ids[beam, self._setting.prompt.shape[1] :].tolist()
            ended[beam] = any(writer.push(token).stopped for token in answer)
        return ended


class BeamSearch:
    """One search. Closing `run()` cancels it within one step; the thread that searches is not waited for."""

    def __init__(self, model: Any, turns: Turns, setting: Setting) -> None:
        self._model = model
        self._turns = turns
        self._setting = setting
        self._cancelled = threading.Event()
        self._done = threading.Event()
        self._expired = False
        self._found: list[list[int]] = []
        self._failure: Text | None = None
        self._pipeline = self._build_pipeline()

    def run(self) -> Iterator[Step]:
        self._setting.begin()
        threading.Thread(target=self._search, name="beam search", daemon=True).start()
        beats = 0
        try:
            while not self._done.wait(HEARTBEAT_S):
                yield Step(row=0, position=0, token_id=None, text="")
                beats += 1
            for row in range(self._setting.values["n"]):
                yield from self._deliver(row, beats if row == 0 else 0)
        finally:
            self._cancelled.set()

    def halted(self) -> bool:
        self._expired = self._expired or self._setting.expired()
        return self._expired or self._cancelled.is_set() or self._setting.cancelled.is_set()

    def _build_pipeline(self) -> SamplerPipeline:
        values, setting = self._setting.values, self._setting
        context = Context(
            device=setting.prompt.device,
            eos_token_id=setting.eos,
            prompt_ids=setting.prompt,
            tokenizer=setting.tokenizer,
            vocab_size=setting.vocab_size,
            # As generate() does: one token beside every end token has to stay, or no beam could go on.
            min_tokens_to_keep=max(values["min_tokens_to_keep"], len(setting.eos) + 1, 2),
        )
        return SamplerPipeline.build(values, context)

    def _search(self) -> None:
        try:
            self._found = self._generate()
        except Halted:
            pass  # while the prompt was read: nothing is found
        except Exception as error:  # noqa: BLE001 - it would end in a thread that nobody looks at; it ends in the rows
            self._failure = why(error)
        finally:
            self._done.set()

    def _generate(self) -> list[list[int]]:
        values, prompt = self._setting.values, self._setting.prompt
        length = prompt.shape[1]
        eos = self._setting.eos
        early = {"true": True, "false": False}.get(values["early_stopping"], values["early_stopping"])
        searched = Searched(self._model, self._turns, self.halted, values["seed"])
        found = searched.model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=not self._setting.greedy,
            num_beams=values["num_beams"],
            num_return_sequences=values["n"],
            length_penalty=values["length_penalty"],
            early_stopping=early,
            use_cache=capabilities.of(self._model).use_cache,
            max_new_tokens=min(values["max_new_tokens"], self._setting.context - length),
            eos_token_id=eos or None,
            pad_token_id=eos[0] if eos else 0,
            logits_processor=LogitsProcessorList([_Samplers(self._pipeline)]),
            stopping_criteria=StoppingCriteriaList([_Halt(self), *([_Stop(self._setting)] if values["stop"] else [])]),
            return_dict_in_generate=True,
            **_NEUTRAL,
        )
        written = (found.beam_indices >= 0).sum(dim=1).tolist()
        return [row[length : length + count].tolist() for row, count in zip(found.sequences, written, strict=True)]

    def _deliver(self, row: int, beats: int) -> Iterator[Step]:
        if row >= len(self._found):
            finish: FinishReason | None = "time" if self._failure is None else "error"
            yield Step(row, 0, None, "", retract=beats, finish=finish, reason=self._failure)
            return
        tokens, setting = self._found[row], self._setting
        writer = _writer(setting)
        for position, token in enumerate(tokens):
            written = Written("") if token in setting.eos else writer.push(token)
            finish = self._reason(token, position + 1, written.stopped, position + 1 == len(tokens))
            text = written.text
            if finish is not None and not written.stopped:
                text += writer.finish()
            retract = beats if position == 0 else 0
            end = setting.labels[token] if finish == "end" else None
            yield Step(row, position, token, text, retract=retract, finish=finish, end_token=end)
            if finish is not None:
                return

    def _reason(self, token: int, count: int, stopped: bool, last: bool) -> FinishReason | None:
        if stopped:
            return "stop"
        if not last:
            return None
        if token in self._setting.eos:
            return "end"
        if count >= self._setting.values["max_new_tokens"]:
            return "length"
        if count + self._setting.prompt.shape[1] >= self._setting.context:
            return "context"
        return "time" if self._expired else "stopped"


def _writer(setting: Setting) -> Writer:
    return Writer(setting.detokenizer(), setting.values["stop"], thinks=setting.thinks)
