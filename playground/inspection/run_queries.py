"""Questions about kept runs: finds the run and the row, checks that the question makes sense, and hands it on.

Knows no page and no generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from playground import parameters
from playground.decoding.row import Setting
from playground.decoding.run_store import RUN_STORE, StoredRow, StoredRun
from playground.generators.checks import check_ids
from playground.inspection import parameter_impact as knobs
from playground.inspection import replay as replays
from playground.inspection import stage_breakdown as breakdowns
from playground.inspection.replay_context import ReplayContext
from playground.inspection_results import OwnFigures, Replayed, StageBreakdown, Token
from playground.types import InvalidRequest, PlaygroundError, Refused, Text

OTHER_DRAWS = Text(
    "Other random draws: the engine drew these tokens, with random numbers that are not known here.",
    "随机数不同：这些词元由引擎抽取，其随机数在此未知。",
)
_DRAW_HERE = Text(
    "Let tokens be drawn here (--engine-draws here), or set temperature to 0.",
    "请改为在此处抽取词元（--engine-draws here），或将温度设为 0。",
)
_FEW = 4  # positions
BEAMS = Text(
    "A beam search does not go through the samplers of a row, so there is nothing to look into.",
    "束搜索不经过各候选的采样器，因此没有可查看的内容。",
)


def find(run_id: str, row: int) -> StoredRow:
    """The row of a run. Raises PlaygroundError where the run is not kept any more, InvalidRequest where it has no such
    row.
    """
    run = RUN_STORE.get(run_id)
    if run is None:
        raise RUN_STORE.lost(run_id)
    if not 0 <= row < len(run.rows):
        raise InvalidRequest(Text(f"This run has no candidate {row}.", f"此次运行没有候选 {row}。"))
    return run.rows[row]


def finished(run_id: str, row: int) -> StoredRow:
    """A row that does not grow any more; PlaygroundError where it still does."""
    found = find(run_id, row)
    if not found.run.closed and found.finish is None:
        raise PlaygroundError(
            Text("This candidate is still being written.", "此候选仍在生成。"),
            Text("Wait for its end, or stop it.", "请等待结束，或将其停止。"),
        )
    return found


def stage_breakdown(
    run_id: str, row: int, position: int, values: Mapping[str, Any] | None, search: int | str | None
) -> StageBreakdown:
    """One position, stage by stage. Raises InvalidRequest where the row has no such position."""
    kept = find(run_id, row)
    count = len(kept.tokens)
    if not 0 <= position < count:
        raise InvalidRequest(
            Text(
                f"There is no token {position}; this candidate has {count}, counted from 0.",
                f"没有第 {position} 个词元；此候选共有 {count} 个，从 0 数起。",
            )
        )
    values = kept.run.values if values is None else values
    check(kept, values)
    asked = searched(kept.run.setting, search)
    known = kept.run.draws_known(values)
    return breakdowns.breakdown(ReplayContext(kept, values), position, asked=asked, with_draw=known)


def replay(run_id: str, row: int, values: Mapping[str, Any]) -> Replayed:
    """The whole row under other values."""
    kept = finished(run_id, row)
    check(kept, values)
    check_draws(kept.run, values)
    return replays.replay(kept, values)


def alive(run_id: str, row: int, values: Mapping[str, Any]) -> tuple[int, ...]:
    """How many candidates these values leave at each position: known whoever drew."""
    kept = finished(run_id, row)
    check(kept, values)
    return tuple(one.alive for one in replays.decisions(kept, values))


def missing(run_id: str, row: int, position: int | None) -> int:
    """At how many positions, or whether at one, the scores are not here and would have to be asked for."""
    run = RUN_STORE.get(run_id)
    absent = run.rows[row].absent() if run is not None and 0 <= row < len(run.rows) else []
    return len(absent) if position is None else int(position in absent)


@torch.inference_mode()
def figures(run_id: str, row: int) -> list[OwnFigures]:
    """What the model thought of each token of a finished row."""
    kept, found = finished(run_id, row), []
    kept.fetch()
    for position, token in enumerate(kept.tokens):
        logprobs = kept.scores(position)[0][0].log_softmax(dim=-1)
        own = float(logprobs[token])
        rank = int((logprobs > logprobs[token]).sum()) + 1
        entropy = float(torch.special.entr(logprobs.exp()).sum())
        found.append(OwnFigures(own if math.isfinite(own) else None, rank, entropy))
    return found


def told(run_id: str, row: int) -> int:
    """Of how many tokens from the first on all scores are here."""
    run = RUN_STORE.get(run_id)
    if run is None or not 0 <= row < len(run.rows):
        return 0
    kept = run.rows[row]
    return next(iter(kept.absent()), len(kept.tokens))


def fetch(run_id: str, row: int, halted: Callable[[], bool], stop: int | None = None) -> Iterator[int]:
    """Asks for all that is missing of the first `stop` tokens, a few positions at a time; after each few, how many are
    left.

    Raises Stopped once `halted`.
    """
    kept = finished(run_id, row)
    while left := [place for place in kept.absent() if stop is None or place < stop]:
        kept.fetch(left[:_FEW], halted)  # in between, others may ask for the one position that they look at
        yield max(0, len(left) - _FEW)


def named(run_id: str, token_id: int) -> Token:
    """One entry of the run's vocabulary; PlaygroundError where the run is not kept any more."""
    run = RUN_STORE.get(run_id)
    if run is None:
        raise RUN_STORE.lost(run_id)
    return replays.token_of(run.setting, token_id)


def favourites(run_id: str, row: int) -> tuple[tuple[int, ...], frozenset[int]]:
    """The model's likeliest token at each position, and the ids of the prompt."""
    kept = finished(run_id, row)
    kept.fetch()
    best = tuple(int(kept.scores(position)[0].argmax()) for position in range(len(kept.tokens)))
    return best, frozenset(kept.run.setting.prompt[0].tolist())


def badges(
    run_id: str, row: int, values: Mapping[str, Any] | None = None, stop: int | None = None
) -> dict[str, Text]:
    """What each parameter did in this row, in a few words, or with other values would do; or in its first `stop`
    tokens."""
    found = finished(run_id, row)
    found = found if stop is None else found.beginning(stop)
    if values is None or values == found.run.values:
        return knobs.badges(found, found.run.values)
    check(found, values)
    return knobs.badges(found, values)


def check(row: StoredRow, values: Mapping[str, Any]) -> None:
    """Raises Refused where these values need the model, InvalidRequest where they name tokens that do not exist."""
    why = cannot_replay(row.run.values, values)
    if why is not None:
        raise Refused(why, Text("Run it again to see.", "请重新运行查看。"))
    check_ids(values, row.run.setting.vocab_size)


def check_draws(run: StoredRun, values: Mapping[str, Any]) -> None:
    """Raises Refused where tokens were drawn elsewhere: their random numbers are not known here."""
    if not run.draws_known(values):
        raise Refused(OTHER_DRAWS, _DRAW_HERE)


def searched(setting: Setting, search: int | str | None) -> int | None:
    """The token that is asked for: an id of this vocabulary, or the first token of a text.

    Raises InvalidRequest where there is none.
    """
    if search is None or search == "":
        return None
    if isinstance(search, str):
        ids: list[int] = setting.tokenizer(search, add_special_tokens=False).input_ids
        if not ids:
            raise InvalidRequest(Text("This text holds no token.", "此文本不含任何词元。"))
        return ids[0]
    if not 0 <= search < setting.vocab_size:
        last = setting.vocab_size - 1
        raise InvalidRequest(Text(f"This model's tokens go from 0 to {last}.", f"此模型的词元编号为 0 至 {last}。"))
    return search


def cannot_replay(old: Mapping[str, Any], new: Mapping[str, Any]) -> Text | None:
    """Why a run under `old` values cannot be replayed under `new` ones without the model; None where it can."""
    if old["num_beams"] > 1 or new["num_beams"] > 1:
        return BEAMS
    if new["n"] > old["n"]:
        return Text("More candidates need the model.", "更多候选需要模型来生成。")
    guided = parameters.by_name()["guidance_scale"].is_neutral
    if guided(new["guidance_scale"]):
        return None
    if guided(old["guidance_scale"]):
        return Text(
            "Guidance was off in this run; its second reading of the text needs the model.",
            "此次运行未启用引导；引导所需的第二遍读取要用到模型。",
        )
    if old["negative_prompt"] != new["negative_prompt"]:
        return Text("Another negative prompt needs the model.", "更换反向提示词需要用到模型。")
    return None
