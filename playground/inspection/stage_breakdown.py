"""One position of a row from the model's scores to the draw, stage by stage. Every number is of the full vocabulary.

Knows no stage by name: each sampler explains itself.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from playground import parameters
from playground.decoding.row import Setting
from playground.inspection.replay import token_of
from playground.inspection.replay_context import ReplayContext
from playground.inspection_results import Chance, Draw, RunnerUp, StageBreakdown, StageChange, Token, TokenOutcome
from playground.sampling.sampler import Sampler
from playground.sampling.stage_io import StageIO, number
from playground.sampling.token_stats import TOP
from playground.types import Text

OUTCOMES = 20


@torch.inference_mode()
def breakdown(
    context: ReplayContext, position: int, *, asked: int | None = None, with_draw: bool = True
) -> StageBreakdown:
    """The context must be new. `asked` is one more token whose outcome is given."""
    context.seek(position)
    return here(context, position, asked=asked, with_draw=with_draw)


@torch.inference_mode()
def here(context: ReplayContext, position: int, *, asked: int | None = None, with_draw: bool = True) -> StageBreakdown:
    """The same where the context stands at this position already."""
    setting = context.setting
    passages: list[StageIO] = []

    def seen(stage: str, before: Tensor, after: Tensor) -> None:
        passages.append(
            StageIO(
                stage,
                before[0],
                after[0],
                _settings(setting, stage),
                written=position,
                uniform=context.rng.uniform(position),
                name=lambda token: _visible(setting, token),
            )
        )

    samplers = dict(context.pipeline.stages)
    raw, _ = context.row.scores(position)
    final, left = context.apply(position, seen)
    likely = torch.log_softmax(raw[0], dim=-1)
    chances = torch.softmax(final[0], dim=-1)
    draw = _draw(context, final) if with_draw else None
    forbidden = context.forbidden.get(position, [])
    wanted = likely.topk(min(OUTCOMES, likely.shape[0])).indices.tolist()
    more = [draw.token.token_id if draw else None, asked, *context.tokens[position : position + 1]]
    wanted += [token for token in dict.fromkeys(more) if token is not None and token not in wanted]
    phrases = context.row.forbidden.get(position, {})
    return StageBreakdown(
        position=position,
        alive=int(torch.isfinite(raw).sum()),
        entropy=_entropy(likely),
        stages=tuple(_change(setting, samplers[at.stage], at) for at in passages),
        outcomes=tuple(_outcome(context, token, likely, chances, passages, phrases, forbidden) for token in wanted),
        forbidden=tuple(token_of(setting, token) for token in forbidden),
        kept_best=not left,
        greedy=setting.greedy,
        draw=draw,
        asked=asked,
    )


def _settings(setting: Setting, stage: str) -> dict[str, Any]:
    return {p.name: setting.values[p.name] for p in parameters.REGISTRY if p.stage == stage}


def _change(setting: Setting, sampler: Sampler, at: StageIO) -> StageChange:
    masters = [p for p in parameters.REGISTRY if p.stage == at.stage and p.needs is None]
    record = next((p for p in masters if not p.is_neutral(at.settings[p.name])), masters[0])
    before = at.logprobs.exp()
    later = torch.softmax(at.left, dim=-1) if at.count else torch.zeros_like(before)
    alive = int(at.alive.sum())
    cut = float(before[~at.kept].sum())
    size = min(TOP, before.shape[0])
    ids = dict.fromkeys((*before.topk(size).indices.tolist(), *later.topk(size).indices.tolist()))
    shown = [Chance(token_of(setting, token), float(before[token]), float(later[token])) for token in ids]
    left = _entropy(later.log()) if at.count else 0.0
    entered = _entropy(at.logprobs)
    return StageChange(
        stage=at.stage,
        label=record.label,
        alive_before=alive,
        alive_after=at.count,
        mass_cut=cut,
        entropy_before=entered,
        entropy_after=left,
        top=tuple(sorted((one for one in shown if one.before > 0 or one.after > 0), key=_order)),
        formula=record.formula,
        settings=at.settings,
        filled=sampler.explain(at) if at.count else None,
    )


def _visible(setting: Setting, token: int) -> str:
    """A token's text on one line."""
    return setting.labels[token].replace("\n", "↵").replace("\t", "⇥")


def _order(chance: Chance) -> tuple[float, float, int]:
    return -chance.before, -chance.after, chance.token.token_id


def _outcome(
    context: ReplayContext,
    token: int,
    likely: Tensor,
    chances: Tensor,
    passages: list[StageIO],
    phrases: dict[int, str],
    forbidden: list[int],
) -> TokenOutcome:
    setting, samplers = context.setting, dict(context.pipeline.stages)
    stage, why = None, None
    if token in forbidden:
        stage = next(p.name for p in parameters.REGISTRY if p.kind == "texts" and p.group == "words")
        phrase = phrases.get(token, "")
        why = Text(f"stepped back: it began “{phrase}”", f"已退回：它是“{phrase}”的开头")
        if not phrase:
            why = Text("stepped back: it began a banned phrase", "已退回：它是禁用短语的开头")
    else:
        for at in passages:
            if not at.kept[token] and at.alive[token]:
                stage, why = at.stage, _reason(samplers[at.stage], at, token)
                break
    return TokenOutcome(
        token=token_of(setting, token),
        rank=int((likely > likely[token]).sum()) + 1,
        p_model=math.exp(float(likely[token])),
        p_after=float(chances[token]),
        stage=stage,
        reason=why,
    )


def _reason(sampler: Sampler, at: StageIO, token: int) -> Text:
    if not at.count:
        return Text(f"{at.stage} left no candidate.", f"{at.stage} 没有留下任何候选。")
    why = sampler.explain_removal(at, token)
    return Text(f"{at.stage}: {why.en}", f"{at.stage}：{why.zh}")


def _draw(context: ReplayContext, final: Tensor) -> Draw:
    chances = torch.softmax(final, dim=-1)
    if context.setting.greedy:
        race, best = None, final[0]
    else:
        race = chances / context.rng.noise(final.shape[-1])
        best = race[0].log()
    first = int(final.argmax()) if race is None else int(race.argmax())
    others = best.clone()
    others[first] = -torch.inf
    second = int(others.argmax())
    runner_up = None
    if torch.isfinite(others[second]):
        lead = float(best[first] - others[second])
        runner_up = RunnerUp(token_of(context.setting, second), float(chances[0, second]), max(lead, 0.0))
    chance = float(chances[0, first])
    rank = int((chances > chances[0, first]).sum()) + 1
    token = token_of(context.setting, first)
    return Draw(
        token=token,
        probability=1.0 if race is None else chance,
        rank=rank,
        race=None if race is None else float(race[0, first]),
        runner_up=runner_up,
        sentence=_draw_sentence(token, chance, rank, runner_up, context.setting.greedy),
    )


def _draw_sentence(token: Token, chance: float, rank: int, second: RunnerUp | None, greedy: bool) -> Text:
    shown = token.text
    if greedy:
        start = Text(f"“{shown}” has the highest score.", f"“{shown}”的分数最高。")
    else:
        start = Text(
            f"“{shown}” won with probability {number(chance)} (rank {rank}).",
            f"“{shown}”以概率 {number(chance)}（排名 {rank}）胜出。",
        )
    if second is None:
        return Text(start.en + " No other candidate was left.", start.zh + "没有其他候选。")
    times = number(math.exp(min(second.lead, 60.0)))
    return Text(
        f"{start.en} “{second.token.text}” came second; {times} times its probability would have won.",
        f"{start.zh}“{second.token.text}”第二；若其概率为 {times} 倍便会胜出。",
    )


def _entropy(log_probabilities: Tensor) -> float:
    """In bits."""
    p = log_probabilities.exp()
    return float(-(p * log_probabilities.clamp(min=-1e30)).sum()) / math.log(2)
