"""The words that every room of Playground shares: texts in two languages, Request, Step, Run, and the errors.

Knows no model, no page and no parameter by name (except where a Run reports its seed).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from playground.amounts import Place
from playground.token_views import StageView, TokenChance

Language = Literal["en", "zh"]
Mode = Literal["chat", "complete"]
Turn = tuple[Literal["user", "assistant"], str]
Path = Literal["exact", "fast"]
FinishReason = Literal["end", "length", "context", "stop", "time", "stopped", "error"]

LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Text:
    """One thing said in English and in Simplified Chinese."""

    en: str
    zh: str

    def say(self, language: str = "en") -> str:
        return self.zh if language == "zh" else self.en

    def filled(self, **values: object) -> Text:
        """The same sentence with `{name}` and `{count:token|tokens}` places filled, a Text in its own languages; no
        value is ever parsed."""

        def said(language: Language) -> dict[str, object]:
            return {name: Place(one.say(language) if isinstance(one, Text) else one) for name, one in values.items()}

        return Text(self.en.format(**said("en")), self.zh.format(**said("zh")))


FINISH_WORDS: Mapping[FinishReason, Text] = {
    "end": Text("end of text", "自然结束"),
    "length": Text("length reached", "达到长度上限"),
    "context": Text("context full", "上下文已满"),
    "stop": Text("stop string", "遇到停止词"),
    "time": Text("time is up", "时间用完"),
    "stopped": Text("stopped by you", "由你停止"),
    "error": Text("error", "出错"),
}

FAILED = Text("Something went wrong here; what was written is kept.", "这里出错了；已写出的内容仍保留。")

ProgressReport = Callable[[Text, float | None], None]
"""Called with what is being done and the share done (0 to 1, None where it is not known)."""


class PlaygroundError(Exception):
    """Something a person can mend: one clear sentence, and a hint of what to do."""

    def __init__(self, message: Text, hint: Text | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(self.say("en"))

    def say(self, language: str = "en") -> str:
        """Message and hint as one line; without a space between them in Chinese."""
        gap = "" if language == "zh" else " "
        return self.message.say(language) + ("" if self.hint is None else gap + self.hint.say(language))


class InvalidRequest(PlaygroundError):
    """A value is not allowed; `parameter` names the field it belongs to."""

    def __init__(self, message: Text, hint: Text | None = None, *, parameter: str | None = None) -> None:
        super().__init__(message, hint)
        self.parameter = parameter


class Refused(InvalidRequest):
    """Each value is allowed by itself, but this model, path or combination cannot honour it."""


class ModelError(PlaygroundError):
    """A model could not be found, read or held."""


class Stopped(PlaygroundError):
    """Nobody waits for the answer any more: it was given up before it was whole."""

    def __init__(self) -> None:
        super().__init__(Text("Stopped.", "已停止。"))


class Busy(PlaygroundError):
    """The server has no room for this request now."""


class ShareTaken(Busy):
    """The server has room, but this visitor already holds his share of it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one module of a model sits: `device` is "cpu", "cuda:0" or "disk"; `size` in bytes."""

    module: str
    device: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is loaded: a count of `parameters`, `size` in bytes, `context` in tokens, its own end where `limited`.

    `chat_template` is the Jinja text with which a chat is written, None where there is none or it is no one text.
    `adapter` is the folder of the adapter that was merged into its weights.
    """

    id: str
    title: str
    revision: str
    parameters: int
    dtype: str
    size: int
    context: int
    has_chat_template: bool
    placements: tuple[Placement, ...] = ()
    folder: str | None = None
    generation_defaults: Mapping[str, Any] = field(default_factory=dict)
    notice: Text | None = None
    limited: bool = True
    chat_template: str | None = None
    adapter: str | None = None

    @property
    def on_gpu(self) -> bool:
        return any(place.device.startswith("cuda") for place in self.placements)


@dataclass(frozen=True, slots=True)
class Request:
    """What one person asks for. `values` holds every parameter of the registry, as `validate()` returns it.

    `prefill` is the beginning of the answer: the model continues right behind it; `written` is the end of it that an
    earlier answer wrote, so that a form goes on where it stood. `keep` is an id nobody can guess under which the run's
    logits are kept for later questions; "" keeps nothing. What is not `watched`, like a row of a batch job, goes behind
    what somebody reads along. `turns` is what was said before `prompt` (chat only): a message, its answer, and so on.
    Control tokens that were typed are text like any other, unless `special_tokens` lets them act. `trace` asks for what
    each stage did to every token, where a generator can tell. `of_task` names the values, and maybe
    `prefill`, that a task or a preset set and nobody chose.
    """

    prompt: str
    values: Mapping[str, Any]
    mode: Mode = "complete"
    system: str = ""
    prefill: str = ""
    path: Path = "exact"
    task: str | None = None
    keep: str = ""
    written: str = ""
    watched: bool = True
    turns: tuple[Turn, ...] = ()
    special_tokens: bool = False
    trace: bool = False
    of_task: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the model will see: the text with its special tokens, its ids, and the context window in tokens.

    `thinks` is what the chat template has begun the answer's thought with, "" where it has not. `controls` are the
    spans of `text` that act as control tokens, `as_text` the control tokens that were typed and are read as text.
    """

    text: str
    token_ids: tuple[int, ...]
    context: int
    thinks: str = ""
    controls: tuple[tuple[int, int], ...] = ()
    as_text: tuple[str, ...] = ()
    notice: Text | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One token of one row. A field that a generator cannot know is None.

    `logprob` is the model's (natural log, before the chain), `chosen_prob` the probability after the chain, `rank`
    counts from 1 under the model. `retract` tokens of this row are taken back before this one is added. Where one pass
    checked several tokens that were guessed, its first Step says how many (`proposed`), and each whether its token was
    one of them (`accepted`, 0 or 1). `end_token` is the name of the token that ended the row. `usage` comes with the
    last Step of an engine that tells no tokens: how many it read and wrote.
    """

    row: int
    position: int
    token_id: int | None
    text: str
    logprob: float | None = None
    chosen_prob: float | None = None
    rank: int | None = None
    entropy_nats: float | None = None
    top: tuple[TokenChance, ...] | None = None
    stages: tuple[StageView, ...] | None = None
    retract: int = 0
    finish: FinishReason | None = None
    note: str = ""
    proposed: int = 0
    accepted: int = 0
    reason: Text | None = None
    end_token: str | None = None
    usage: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FastPath:
    """How the fast path holds the weights (a `choice` of `--weights`, `weights` as most became), or `why_not`."""

    choice: str = ""
    weights: str = ""
    why_not: Text | None = None
    lacks: Text | None = None  # what this machine would need to run it at full speed


@dataclass(frozen=True, slots=True)
class Wait:
    """A request's place in a line: how many must end before it begins, and at most how long that takes if known."""

    ahead: int
    seconds: float | None


class Source(Protocol):
    """The Steps of one request on their way to a reader who never waits for them."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come, taken or not."""

    @property
    def place(self) -> Callable[[], Wait | None]:
        """Tells how long the request waits for its turn; None once it has begun."""

    def poll(self) -> Sequence[tuple[float, Step]]:
        """What has come since, each Step with its moment; raises what ended them, once all are taken."""


class Generator(Protocol):
    """Whatever turns a Request into Steps. Closing the iterator cancels; a row that fails ends alone."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters it honours; what else differs from neutral is refused by name."""

    @property
    def paths(self) -> frozenset[Path]: ...

    @property
    def fast(self) -> FastPath: ...

    @property
    def traces(self) -> bool:
        """Whether its Steps hold what each stage of the chain did."""

    @property
    def knows_tokens(self) -> bool:
        """Whether it tells a prompt and a text as tokens; else there is only the text, and its context is not counted
        here."""

    @property
    def own_draws(self) -> bool:
        """Whether tokens are drawn with this program's random numbers, so that what another draw needs is known."""

    @property
    def slots(self) -> int:
        """How many texts of the exact path it writes at a time; 1 where several take as long as one after the other."""

    @property
    def lacks(self) -> Mapping[str, Text]:
        """Why it does not honour a parameter, for those that it has a reason for, each in a sentence; `prefill` where
        it cannot be told how an answer in a chat begins."""

    @property
    def card(self) -> ModelCard: ...

    def render(self, request: Request) -> Rendered: ...

    def stream(self, request: Request) -> Iterator[Step]: ...

    def open(self, request: Request, cancelled: threading.Event) -> Source:
        """The same for a reader who never waits. Once `cancelled` is set, by anybody, it is over within one Step."""
