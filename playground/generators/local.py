"""The model on this machine as a generator: renders the prompt, and runs rows or a beam search.

Knows no page and no terminal. `stream` may be called from any number of threads.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from playground import parameters
from playground.decoding.beam_search import BeamSearch
from playground.decoding.deadline import Deadline
from playground.decoding.fair_lock import FairLock
from playground.decoding.kv_sequence import KVSequence, UnconditionalSequence, can_guide
from playground.decoding.prefill import prefill
from playground.decoding.request_rows import RequestRows
from playground.decoding.row import Row, Setting, effect
from playground.decoding.run_store import RUN_STORE, StoredRow, StoredRun
from playground.decoding.score_text import detect_watermark, score_pieces, score_text, unscored_tokens
from playground.decoding.sequences import open_sequence
from playground.decoding.step_stream import StepStream, from_iterator
from playground.fast.engine import Engine
from playground.fast.job import Job
from playground.generators import tensors
from playground.generators.checks import check_able, check_ids, check_request, check_room, rows_seeds
from playground.inspection_results import Detection, ReadToken
from playground.models import capabilities
from playground.parameters.inert import check_combination
from playground.rendering.detokenize import BROKEN, Labels
from playground.rendering.prompt import Prompts
from playground.rendering.spellings import biased_ways
from playground.thinking import opened_after
from playground.types import FastPath, ModelCard, Path, Refused, Rendered, Request, Step, Stopped, Text

if TYPE_CHECKING:
    from playground.models import Loaded

FRESH_SEED = -1


class LocalGenerator:
    """One loaded model. With `trace` every Step says what each stage of the pipeline did, which costs some speed.

    `rows` and `kv_memory` (bytes) bound the running batch of the fast path; None leaves them to the machine.
    `shares` is how much of it a session and an address may hold, in percent.
    """

    name = "local"
    knows_tokens = True
    tells_all = True
    own_draws = True
    slots = 1
    lacks: Mapping[str, Text] = {}

    def __init__(
        self,
        loaded: Loaded,
        *,
        trace: bool = False,
        rows: int | None = None,
        kv_memory: int | None = None,
        shares: tuple[int, int] = (100, 100),
    ) -> None:
        self._model = loaded.model.eval()
        self._tokenizer = loaded.tokenizer
        self._card = loaded.card
        self.traces = trace
        self._lock = FairLock()
        self._engine = Engine(
            self._model, self._lock, weights=loaded.weights, rows=rows, memory=kv_memory, shares=shares
        )
        self.paths: frozenset[Path] = frozenset({"exact"} if self._engine.path.why_not else {"exact", "fast"})
        self._prompts = Prompts(self._model, self._tokenizer, self._card.title, self._card.context, loaded.turn_ends)
        self._labels = Labels(self._tokenizer)
        self._able = capabilities.of(self._model, self._card.id)
        self._device = _entrance(self._model)
        self._fast = self._engine.path
        self._closed = False

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(parameters.by_name())

    @property
    def fast(self) -> FastPath:
        return self._fast if self._closed else self._engine.path

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def prompts(self) -> Prompts:
        """How requests become token ids here; a training encodes its texts with the same."""
        return self._prompts

    def render(self, request: Request) -> Rendered:
        check_request(request, self._card, self.paths)
        return self._prompts.render(request)

    def stream(self, request: Request) -> Iterator[Step]:
        """Steps of all candidates. Whatever can be refused is refused by this call, before the first Step."""
        made = self._made(request)
        return self._engine.running.stream(made) if isinstance(made, Job) else made

    def open(self, request: Request, cancelled: threading.Event) -> StepStream:
        """The same for a reader who never waits; on the fast path without a thread of its own."""
        made = self._made(request, cancelled)
        return self._engine.running.open(made) if isinstance(made, Job) else from_iterator(made, cancelled)

    def pack(self) -> None:
        """Makes the fast path ready now, so that the first request does not wait for it."""
        _ = self._engine.running

    def expect(self, request: Request) -> None:
        """Has the steps compiled in the background that such a request takes on the fast path."""
        self._engine.running.expect(request.values["n"], len(self.render(request).token_ids))

    @property
    def held_bytes(self) -> int:
        """Bytes of all that it holds for its model now: weights, their packed copy, keys and values."""
        return 0 if self._closed else tensors.size(*self._engine.modules) + self._engine.slots_bytes

    def close(self) -> None:
        """Lets go of the model, which nobody may be using. What is asked for afterwards is refused with a sentence;
        runs that were kept can still be looked into."""
        self._closed = True
        self._engine.close()
        for name in ("_model", "_prompts", "_engine"):
            setattr(self, name, tensors.Closed(self._card.title))

    def _made(self, request: Request, cancelled: threading.Event | None = None) -> Job | Iterator[Step]:
        """What the running batch or nobody but its reader runs; nothing of it has begun."""
        rendered = self.render(request)
        check_room(rendered, self._card.title)
        check_combination(request.values)
        if request.values["seed"] == FRESH_SEED:
            request = replace(request, values={**request.values, "seed": secrets.randbits(31)})
        setting = self._setting(request, rendered, cancelled)
        values = setting.values
        check_ids(values, setting.vocab_size)
        check_able(values, self._able, self._card.title)
        if values["num_beams"] > 1:
            return BeamSearch(self._model, self._lock, setting).run()
        seeds = rows_seeds(values["seed"], values["n"])
        rows = [Row(index, seed, setting) for index, seed in enumerate(seeds)]
        negative = self._negative(setting)
        stored = RUN_STORE.open(request.keep, request.values, setting, seeds) if request.keep else None
        if request.path == "fast":
            return Job(setting, rows, negative, stored, stream=StepStream(cancelled), reader=request.watched)
        return RequestRows(self._model, self._lock, rows, setting, negative, stored).run()

    def look(self, request: Request, halted: Callable[[], bool] = lambda: False) -> StoredRow:
        """The prompt is read: a row without a token, whose first scores are there to look at.

        Raises Stopped before the next chunk once `halted` is true.
        """
        rendered = self.render(request)
        check_room(rendered, self._card.title)
        setting = self._setting(request, rendered)
        check_ids(setting.values, setting.vocab_size)
        negative = self._negative(setting)
        stored = StoredRun(None, "", request.values, setting, [request.values["seed"]])
        sequence = open_sequence(self._model, setting.prompt)
        second = None if negative is None else UnconditionalSequence(self._model, negative)
        raw = self._read(sequence, halted)
        stored.rows[0].put(0, raw, None if second is None else self._read(second, halted), sequence.dtype, None)
        stored.close()
        return stored.rows[0]

    @torch.inference_mode()
    def _read(self, sequence: KVSequence, halted: Callable[[], bool]) -> torch.Tensor:
        """The scores that follow the sequence's prompt."""
        scores = prefill(sequence, self._lock, halted)
        if scores is None:
            raise Stopped
        return scores

    def tokens(self, text: str, *, special: bool, acts: bool = False, parameter: str = "text") -> list[int]:
        """The ids of a text that is only read. Control tokens in it are text like any other unless it `acts`; `special`
        adds what the tokenizer puts before plain text."""
        return self._prompts.encoder.alone(text, begins=special, acts=acts, parameter=parameter) if text else []

    def written(self, token_id: int) -> str | None:
        """The text that this token writes wherever it stands; None for special tokens and for parts of a character."""
        text: str = self._tokenizer.decode([token_id], clean_up_tokenization_spaces=False)
        special = token_id in self._tokenizer.all_special_ids
        return None if special or not text or BROKEN in text else self._labels[token_id]

    def biased(self, values: Mapping[str, Any]) -> dict[str, dict[str, list[list[tuple[int, str]]]]]:
        """For each biased text, and each biased id, every way to write it: the tokens with their ids and texts."""
        return biased_ways(self._tokenizer, self._labels, values, self._prompts.rows)

    def read(self, ids: Sequence[int], halted: Callable[[], bool] = lambda: False) -> Iterator[list[ReadToken]]:
        """What the model thinks of these tokens, one after the other, in pieces. Raises Stopped once `halted`.

        One that reads a text as a whole only thinks nothing of any token.
        """
        if not self._able.reads:
            return iter([unscored_tokens(self._tokenizer, self._labels, ids)])
        given = torch.tensor([list(ids)], dtype=torch.long, device=self._device)
        return score_text(self._model, self._lock, self._tokenizer, self._labels, given, halted)

    def scores(
        self, ids: Sequence[int], halted: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[torch.Tensor, list[int]]]:
        """The scores [count, vocab] behind each of these tokens but the last, in pieces, with the tokens that really
        followed. Raises Stopped once `halted`."""
        given = torch.tensor([list(ids)], dtype=torch.long, device=self._device)
        return score_pieces(self._model, self._lock, given, halted)

    @property
    def vocabulary(self) -> LocalGenerator:
        """What reads with the whole vocabulary: itself."""
        return self

    @property
    def tokenizer(self) -> Any:
        return self._tokenizer

    @property
    def labels(self) -> Labels:
        return self._labels

    def check_reads(self) -> None:
        """Raises Refused where this model cannot say of each token what it expected there."""
        if not self._able.reads:
            title = self._card.title
            raise Refused(
                Text(
                    f"{title} does not tell what it expected at each token: it reads a text as a whole only.",
                    f"{title} 无法给出对每个词元的预期：它只能整体阅读文本。",
                ),
                Text("Choose another model.", "请换一个模型。"),
            )

    def detect(
        self, ids: Sequence[int], watermark: dict[str, Any], halted: Callable[[], bool] = lambda: False
    ) -> Detection:
        """Whether these tokens carry the watermark. Raises Stopped once `halted`."""
        given = torch.tensor([list(ids)], dtype=torch.long, device=self._device)
        return detect_watermark(self._model.config.get_text_config(decoder=True), given, watermark, halted)

    def _setting(self, request: Request, rendered: Rendered, cancelled: threading.Event | None = None) -> Setting:
        deadline = Deadline(request.values["max_time"])
        eos = self._prompts.ends(request)
        values, greedy = effect(request.values, has_eos=bool(eos), path=request.path)
        return Setting(
            values=values,
            greedy=greedy,
            prompt=torch.tensor([rendered.token_ids], device=self._device),
            tokenizer=self._tokenizer,
            labels=self._labels,
            eos=eos,
            vocab_size=self._model.config.get_text_config(decoder=True).vocab_size,
            context=rendered.context,
            traced=self.traces or request.trace,
            expired=deadline.expired,
            written=request.written,
            cancelled=cancelled or threading.Event(),
            begin=deadline.begin,
            visible=self._prompts.shown(request),
            thinks=opened_after(request.prefill, rendered.thinks) if request.mode == "chat" else None,
        )

    def _negative(self, setting: Setting) -> torch.Tensor | None:
        """The prompt of guidance's second sequence: the negative prompt, or the prompt's last token alone."""
        values = setting.values
        if values["guidance_scale"] == 1:
            return None
        if not can_guide(self._model):
            title, scale = self._card.title, parameters.title_of("guidance_scale")
            raise Refused(
                Text(f"{scale.en} does not work with {title}.", f"{scale.zh}不适用于 {title}。"),
                Text("Set it back to 1.", "请把它调回 1。"),
                parameter="guidance_scale",
            )
        name = "negative_prompt"
        ids = self._prompts.encoder.alone(values[name], begins=True, parameter=name) if values[name] else []
        if not ids:
            return setting.prompt[:, -1:]
        if len(ids) >= setting.context:
            raise Refused(
                Text(
                    f"The negative prompt has {len(ids):,} tokens; {self._card.title} reads at most "
                    f"{setting.context:,}.",
                    f"反向提示词有 {len(ids):,} 个词元，{self._card.title} 最多读 {setting.context:,} 个。",
                ),
                Text("Shorten it.", "请缩短它。"),
                parameter="negative_prompt",
            )
        return torch.tensor([ids], device=self._device)


def _entrance(model: Any) -> torch.device:
    """Where token ids go in: the first weights that are really somewhere (offloaded ones are nowhere)."""
    devices = (weights.device for weights in model.parameters())
    return next((device for device in devices if device.type != "meta"), torch.device("cpu"))
