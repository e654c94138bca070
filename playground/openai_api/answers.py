"""Answers of `/v1/completions` and `/v1/chat/completions`: the whole object, or the chunks of a stream.

Knows no server: it is shown the growing runs, and gives objects to be sent.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

from playground import wire_format
from playground.inspection import inspect_api
from playground.inspection_results import PositionLogprobs
from playground.openai_api.api_error import bad
from playground.openai_api.growing_choice import FINISH, GrowingChoice, News
from playground.openai_api.logprob_shapes import chat_shape, completion_shape
from playground.openai_api.request_body import Asked
from playground.run import Run
from playground.types import Step, Text

_NOT_ALL = Text(
    "This server does not tell the log-probabilities of all tokens (--limit-logprobs).",
    "本服务器不提供全部词元的对数概率（--limit-logprobs）。",
)


class Answer:
    """One request's answer. `prompt_logprobs` are those of each prompt that is echoed, where they were asked for."""

    def __init__(self, asked: Asked, model: str) -> None:
        self._asked = asked
        self._model = model
        self._id = f"{'chatcmpl' if asked.chat else 'cmpl'}-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._fingerprint = ""
        self._run: Run | None = None
        self._growing: list[GrowingChoice] = []
        self._offsets: list[int] = []
        self._first: list[bool] = []
        self._base = 0
        self._prompt = ""
        self._echoed: Sequence[PositionLogprobs] = ()
        self._used = [0, 0]  # tokens of prompts, tokens written
        self._choices: list[dict[str, Any]] = []
        self._notices: list[dict[str, str]] = []

    def begin(self, run: Run, base: int, prompt: str, echoed: Sequence[PositionLogprobs] = ()) -> None:
        """From now on the candidates of this run, which are choices from `base` on."""
        self._run, self._base, self._prompt, self._echoed = run, base, prompt, echoed
        rows = len(run.candidates)
        self._growing = [GrowingChoice(row) for row in range(rows)]
        self._offsets, self._first = [0] * rows, [True] * rows
        told = "\n".join((run.model, run.dtype, run.weights, run.request.path))
        self._fingerprint = "fp_" + hashlib.sha256(told.encode()).hexdigest()[:10]
        if run.notice is not None:
            self._notices.append({"en": run.notice.en, "zh": run.notice.zh})

    def only_prompt(self, prompt: str, echoed: Sequence[PositionLogprobs], tokens: int, place: int) -> dict[str, Any]:
        """The choice of a prompt that was read, with nothing written behind it."""
        choice: dict[str, Any] = {"index": place, "text": prompt, "logprobs": None, "finish_reason": "length"}
        if self._asked.top is not None:
            choice["logprobs"], _ = self._completion_shape(echoed, 0)
        self._used[0] += tokens
        self._choices.append(choice)
        return choice

    def chunks(self) -> Iterator[dict[str, Any]]:
        """What is new of the run, as chunks of a stream, one for each candidate that has news."""
        for choice in self._grown():
            yield self._object("chunk", [choice])

    def gather(self) -> None:
        """What is new of the run, added to the whole object."""
        for choice in self._grown():
            self._merge(choice)

    def end(self) -> None:
        """The run is over: its tokens count."""
        if self._run is not None:
            self._used[0] += self._run.prompt_tokens
            self._used[1] += sum(len(one.token_ids) or one.written or 0 for one in self._run.candidates)

    def whole(self) -> dict[str, Any]:
        """The complete object."""
        found = self._object("whole", self._choices)
        found["usage"] = self._usage()
        return found

    def chunk_of(self, choice: dict[str, Any]) -> dict[str, Any]:
        """A choice that came whole, as a chunk."""
        return self._object("chunk", [choice])

    def usage_chunk(self) -> dict[str, Any]:
        """The last chunk, where usage was asked for: no choice, and what all of them took."""
        return {**self._object("chunk", []), "usage": self._usage()}

    def _grown(self) -> Iterator[dict[str, Any]]:
        assert self._run is not None
        for growing in self._growing:
            news = growing.news(self._run)
            if news or self._first[growing.row]:
                yield from self._told(growing.row, news)

    def _told(self, row: int, news: News) -> Iterator[dict[str, Any]]:
        """Text first; the end comes alone behind it, as clients expect."""
        first, self._first[row] = self._first[row], False
        choice: dict[str, Any] = {"index": self._base + row, "logprobs": None, "finish_reason": None}
        if self._asked.chat:
            delta = {"role": "assistant", "content": news.text} if first else {"content": news.text}
            if news.thought:
                delta["reasoning_content"] = news.thought
            choice["delta"] = delta
        else:
            choice["text"] = (self._prompt if first and self._asked.echo else "") + news.text
        if self._asked.top is not None:
            choice["logprobs"] = self._logprobs(row, news, first)
        if self._asked.details is not None:
            choice["playground"] = self._own(row, news)
        if first or news.text or news.thought or news.steps:
            yield choice
        if news.finish is not None:
            end = {"index": self._base + row, "logprobs": None, "finish_reason": FINISH[news.finish]}
            yield {**end, "delta": {}} if self._asked.chat else {**end, "text": ""}

    def _own(self, row: int, news: News) -> dict[str, Any]:
        """What another Playground wants to know of a candidate."""
        assert self._run is not None
        assert self._asked.details is not None
        found = {
            "version": wire_format.VERSION,
            "run": self._run.request.keep if self._asked.details.keep else None,
            "row": row,
            "seed": self._run.candidates[row].seed,
            "steps": wire_format.encode(list(news.steps)),
            "finish": news.finish,
        }
        if self._asked.details.scores:
            written = [step for step in news.steps if step.token_id is not None]
            told = self._positions(row, written, self._asked.details.most)
            whole = wire_format.whole_logprobs(told, ())
            if whole is None and told:
                raise bad(_NOT_ALL, "playground", "unsupported_value")
            found["scores"] = wire_format.encode(whole.scores if whole else ())
        return found

    def _positions(self, row: int, written: Sequence[Step], count: int) -> list[PositionLogprobs]:
        """Those of these tokens, with so many of the likeliest at each."""
        if not written or self._run is None:
            return []
        start, stop = written[0].position, written[-1].position + 1
        return inspect_api.token_logprobs(self._run.request.keep, row, start, stop, count)

    def _logprobs(self, row: int, news: News, first: bool) -> dict[str, Any] | None:
        written = [step for step in news.steps if step.token_id is not None and step.end_token is None]
        found: list[PositionLogprobs] = list(self._echoed) if first else []
        found += self._positions(row, written, self._asked.top or 0)
        if self._asked.chat:
            return chat_shape(found, ids=self._asked.token_ids) if found else None
        if not found:
            return None
        if first and not self._asked.echo:
            self._offsets[row] = len(self._prompt)
        shape, self._offsets[row] = self._completion_shape(found, self._offsets[row])
        return shape

    def _completion_shape(self, found: Sequence[PositionLogprobs], offset: int) -> tuple[dict[str, Any], int]:
        return completion_shape(found, offset, ids=self._asked.token_ids, tops=bool(self._asked.top))

    def _merge(self, new: dict[str, Any]) -> None:
        """A chunk's choice joined to what the whole object has of it."""
        kept = next((one for one in self._choices if one["index"] == new["index"]), None)
        if kept is None:
            kept = {"index": new["index"], "logprobs": None, "finish_reason": None}
            kept |= (
                {"message": {"role": "assistant", "content": "", "refusal": None}} if self._asked.chat else {"text": ""}
            )
            self._choices.append(kept)
        if self._asked.chat:
            for name in ("content", "reasoning_content"):
                if new["delta"].get(name):
                    kept["message"][name] = kept["message"].get(name, "") + new["delta"][name]
        else:
            kept["text"] += new["text"]
        if new["logprobs"] is not None:
            kept["logprobs"] = _joined(kept["logprobs"], new["logprobs"])
        kept["finish_reason"] = new["finish_reason"] or kept["finish_reason"]
        if "playground" in new:
            kept["playground"] = _joined(kept.get("playground"), new["playground"])

    def _object(self, kind: str, choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
        chat = "chat.completion.chunk" if kind == "chunk" else "chat.completion"
        found: dict[str, Any] = {
            "id": self._id,
            "object": chat if self._asked.chat else "text_completion",
            "created": self._created,
            "model": self._model,
            "system_fingerprint": self._fingerprint,
            "choices": list(choices),
        }
        if kind == "chunk" and self._asked.usage:
            found["usage"] = None
        if self._notices:
            found["playground"] = {"notices": self._notices}
            self._notices = []
        return found

    def _usage(self) -> dict[str, int]:
        read, written = self._used
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _joined(before: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """Two pieces of a choice's object, list behind list."""
    if before is None:
        return new
    return {name: value if not isinstance(value, list) else [*before[name], *value] for name, value in new.items()}
