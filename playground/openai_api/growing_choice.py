"""One candidate as a client gets it: what is new since the last look, text and tokens together, and nothing twice.

A client cannot take text back. So of a row that may step back for a banned phrase the end is held until it is safe.
Knows no protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.openai_api.api_error import ApiError
from playground.run import Candidate, Run
from playground.thinking import opened_after, split_reasoning
from playground.types import FinishReason, Step, Text

_HELD = 160  # characters that stepping back from a phrase can change at most, beside the phrase: one token's
FINISH = {
    "end": "stop",
    "stop": "stop",
    "length": "length",
    "context": "length",
    "time": "length",
    "stopped": "stop",
    "error": "error",
}
"""OpenAI's words for how a text ended; it has none for the time, the context and an error."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new of one candidate. `steps` are its new tokens; `finish` is set once, with the last of it."""

    text: str
    thought: str
    steps: Sequence[Step]
    finish: FinishReason | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.thought or self.steps or self.finish)


class GrowingChoice:
    """Candidate `row` of a run, as it grows."""

    def __init__(self, row: int) -> None:
        self.row = row
        self._steps = 0
        self._text = self._thought = ""
        self._ended = False

    def news(self, run: Run) -> News:
        """Raises ApiError where text was taken back that a client already has."""
        candidate = run.candidates[self.row]
        if self._ended:
            return News("", "", ())
        finish = candidate.finish_reason
        settled = self._settled(run, candidate)
        steps = candidate.steps[self._steps : settled]
        text = "".join(step.text for step in candidate.steps[:settled])
        thought = ""
        if run.request.mode == "chat":
            opened = opened_after(run.request.prefill, run.thinks)
            parsed = split_reasoning(text, opened=opened, whole=finish is not None)
            thought, text = parsed.thought, parsed.answer
        if not text.startswith(self._text):
            raise ApiError(500, Text("The text was changed behind what was sent.", "已发送的文本被更改。"),
                           kind="server_error")  # fmt: skip
        found = News(text[len(self._text) :], thought[len(self._thought) :], steps, finish)
        self._steps, self._text, self._ended = settled, text, finish is not None
        self._thought = thought if thought.startswith(self._thought) else self._thought
        return found

    def _settled(self, run: Run, candidate: Candidate) -> int:
        """How many of its first tokens stay, whatever comes."""
        phrases = run.request.values["banned_phrases"]
        if candidate.finish_reason is not None or not phrases:
            return len(candidate.steps)
        held = _HELD + max(map(len, phrases))
        count = len(candidate.steps)
        while count and held > 0:
            count -= 1
            held -= max(1, len(candidate.steps[count].text))
        return max(self._steps, count)
