"""The scores that a model gives to each token of a text, read in pieces; and whether a text carries a watermark.

Knows no request and no page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.generation.watermarking import WatermarkDetector

from playground.amounts import counted
from playground.decoding.fair_lock import FairLock
from playground.decoding.prefill import continues, sizes
from playground.decoding.sequences import open_sequence
from playground.inspection_results import Detection, ReadToken, Token
from playground.rendering.detokenize import Detokenizer, Labels
from playground.sampling.token_stats import TOP
from playground.types import InvalidRequest, Stopped, Text

PIECE = 128  # tokens read at once: their scores take 25 MB in fp32 at a vocabulary of 49,000
LEAST = 16  # tokens under which a z-score says nothing
THRESHOLD = 3.0  # z-score above which a text counts as marked: chance gives as much in about one text of 740
UNUSUAL = 0.05  # p-value under which a text below the threshold is not called unmarked either


def score_text(
    model: Any, lock: FairLock, tokenizer: Any, labels: Labels, ids: Tensor, halted: Callable[[], bool] = lambda: False
) -> Iterator[list[ReadToken]]:
    """Log-probability, rank, entropy and best candidates of every token of `ids` [1, length], piece
    by piece, each piece in a turn of its own.

    The first token has nothing before it, so no numbers. The texts of all tokens join to the text that was read; a
    token that only begins a character has none. Raises Stopped before the next piece once `halted` is true.
    """
    special = set(tokenizer.all_special_ids)
    tokens = _tokens_of(tokenizer, labels, special, ids[0].tolist())
    ready = [ReadToken(token) for token in tokens[:1]]
    place = 1
    for scores, follow in score_pieces(model, lock, ids, halted):
        own = torch.tensor(follow, device=scores.device)
        ready += scored_tokens(scores, own, tokens[place:], labels, special)
        place += len(follow)
        yield ready
        ready = []
    if ready:
        yield ready


def score_pieces(
    model: Any, lock: FairLock, ids: Tensor, halted: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Tensor, list[int]]]:
    """The scores [count, vocab] behind each token of `ids` [1, length] but the last, piece by piece, each in a turn of
    its own, with the tokens that really followed. Raises Stopped before the next piece once `halted` is true."""
    sequence = open_sequence(model, ids[:, :-1])
    size = _piece_size(model, sequence.unread, lock)
    while sequence.left:
        start = sequence.length
        with torch.inference_mode(), lock.chunk(halted) as acquired:
            if not acquired:
                raise Stopped
            scores = sequence.read_each(size)
        yield scores, ids[0, start + 1 : sequence.length + 1].tolist()


def unscored_tokens(tokenizer: Any, labels: Labels, ids: Sequence[int]) -> list[ReadToken]:
    """The tokens of a text without scores, for which no model is needed."""
    return [ReadToken(token) for token in _tokens_of(tokenizer, labels, set(tokenizer.all_special_ids), ids)]


def _piece_size(model: Any, ids: Tensor, lock: FairLock) -> int:
    """Tokens that are read at once: a model without a cache has to read all of them."""
    size = min(PIECE, sizes(model).chunk)
    return size if ids.shape[1] <= size or continues(model, ids, lock) else ids.shape[1]


def _tokens_of(tokenizer: Any, labels: Labels, special: set[int], ids: Sequence[int]) -> list[Token]:
    """Each token as it stands in the text: a character of several tokens belongs to the last of them."""
    detokenizer = Detokenizer(tokenizer)
    tokens = []
    for one in ids:
        piece = detokenizer.push(one)
        tokens.append(Token(one, labels[one], True) if one in special else Token(one, piece))
    rest = detokenizer.flush()
    if rest and tokens and not tokens[-1].special:
        tokens[-1] = Token(tokens[-1].token_id, tokens[-1].text + rest)
    return tokens


@torch.inference_mode()
def scored_tokens(
    scores: Tensor, follow: Tensor, tokens: Sequence[Token], labels: Labels, special: set[int]
) -> list[ReadToken]:
    """From scores [count, vocab] and the tokens that really followed each of them; `tokens` are the same, named."""
    logprobs = torch.log_softmax(scores.float(), dim=-1)
    own = logprobs.gather(-1, follow[:, None])
    ranks = ((logprobs > own).sum(dim=-1) + 1).tolist()
    entropies = (-(logprobs.exp() * logprobs.clamp(min=-1e30)).sum(dim=-1) / math.log(2)).tolist()
    values, places = logprobs.topk(min(TOP, logprobs.shape[-1]), dim=-1)
    numbers = zip(own[:, 0].tolist(), ranks, entropies, strict=True)
    tops = zip(places.tolist(), values.exp().tolist(), strict=True)
    found = []
    for token, (logprob, rank, entropy), (best, odds) in zip(tokens[: len(ranks)], numbers, tops, strict=True):
        top = [(Token(one, labels[one], one in special), chance) for one, chance in zip(best, odds, strict=True)]
        found.append(ReadToken(token, logprob, rank, entropy, tuple(top)))
    return found


class _Detector(WatermarkDetector):
    """transformers' detector, which checks `halted` again and again while it reads a long text."""

    halted: Callable[[], bool]

    def _get_ngram_score(self, prefix: Tensor, target: int) -> Any:
        if self.halted():
            raise Stopped
        return super()._get_ngram_score(prefix, target)


def detect_watermark(
    config: Any, ids: Tensor, watermark: dict[str, Any], halted: Callable[[], bool] = lambda: False
) -> Detection:
    """Whether `ids` [1, length] carry this watermark, by transformers' own detector. Raises Stopped once `halted`.

    Of the model's `config` only the vocabulary's size and its first token count.
    """
    count = ids.shape[1]
    if count - int(watermark["context_width"]) < LEAST:
        raise InvalidRequest(
            Text(
                f"This text has {counted(count, 'token', 'tokens')}, too few to tell a watermark from chance.",
                f"此文本只有 {count} 个词元，太少，无法区分水印与偶然。",
            ),
            Text("Paste a longer one; about 100 tokens are enough.", "请粘贴更长的文本；约 100 个词元即可。"),
        )
    detector = _Detector(config, str(ids.device), watermark)
    detector.halted = halted
    found = detector(ids, z_threshold=THRESHOLD, return_dict=True)
    z, p, share = float(found.z_score[0]), float(found.p_value[0]), float(found.green_fraction[0])
    scored = int(found.num_tokens_scored[0])
    return Detection(
        tokens_scored=scored,
        green=int(found.num_green_tokens[0]),
        green_share=share,
        z_score=z,
        p_value=p,
        prediction=bool(found.prediction[0]),
        sentence=_sentence(z, p, share, scored, float(watermark["greenlist_ratio"])),
    )


def _sentence(z: float, p: float, share: float, scored: int, expected: float) -> Text:
    """What was found, with its figures and the threshold that they are held to."""
    numbers = Text(
        f"{share:.0%} of {counted(scored, 'token is', 'tokens are')} green, "
        f"where {expected:.0%} are expected (z = {z:.1f}, p = {p:.2g}).",
        f"{scored} 个词元中有 {share:.0%} 在绿名单内，预期为 {expected:.0%}（z = {z:.1f}，p = {p:.2g}）。",
    )
    if z > THRESHOLD:
        over = Text(f" That is above z = {THRESHOLD:g}, the threshold.", f"已超过判定阈值 z = {THRESHOLD:g}。")
        return Text(
            f"This text very probably carries the watermark: {numbers.en}{over.en}",
            f"此文本很可能带有水印：{numbers.zh}{over.zh}",
        )
    if p < UNUSUAL:
        one_in = round(1 / p)
        return Text(
            f"It cannot be said whether this text carries the watermark: {numbers.en} Without it only about one text "
            f"in {one_in:,} shows as much, but the threshold is z = {THRESHOLD:g}. A longer text may tell.",
            f"无法断定此文本是否带有水印：{numbers.zh}没有水印的文本中，约每 {one_in:,} 篇才有一篇达到这一程度，"
            f"但未超过判定阈值 z = {THRESHOLD:g}。更长的文本或许能断定。",
        )
    return Text(
        f"No watermark was found: {numbers.en} That is as chance gives it; the threshold is z = {THRESHOLD:g}.",
        f"未发现水印：{numbers.zh}这属于偶然范围，判定阈值为 z = {THRESHOLD:g}。",
    )
