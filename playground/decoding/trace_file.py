"""A run on disk: JSON lines for whoever reads, the logits beside them for whoever replays. docs/trace.md is the format.

A file may come from a stranger: tensors and JSON only, every size and value checked. Knows no model.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from playground import parameters
from playground.decoding import replay as replays
from playground.decoding.answers import BEAMS, check, finished
from playground.decoding.detokenize import Labels
from playground.decoding.findings import Replayed, StageChange
from playground.decoding.keep import KeptRow, KeptRun
from playground.decoding.pick import Luck
from playground.decoding.row import Setting, effect
from playground.decoding.scene import Scene
from playground.decoding.waterfall import here
from playground.types import InvalidRequest, PlaygroundError, Text

FORMAT = 1
VERSIONS = ("torch", "transformers", "tokenizers")
_BIT = math.log(2)


def write(file: str, run_id: str, header: Mapping[str, Any]) -> None:
    """The run as it stands. Raises PlaygroundError where it is not kept, or the file cannot be written."""
    run = finished(run_id, 0).run
    versions = {"format": FORMAT, **{name: importlib.metadata.version(name) for name in VERSIONS}}
    try:
        with Path(file).open("w", encoding="utf-8") as lines:
            for line in ({**header, "versions": versions}, *_lines(run)):
                lines.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        save_file(_tensors(run), logits_of(file), metadata={"trace": json.dumps(_facts(run))})
    except OSError as error:
        raise PlaygroundError(
            Text(
                f"trace: {file!r} cannot be written: {error.strerror}.", f"trace：无法写入 {file!r}：{error.strerror}。"
            )
        ) from error


def logits_of(file: str) -> Path:
    return Path(f"{file}.safetensors")


def replay(file: str, row: int, given: Mapping[str, Any]) -> Replayed:
    """One candidate of a trace under other values. Raises PlaygroundError for what is no trace, or needs the model."""
    run = read(file)
    if not 0 <= row < len(run.rows):
        raise InvalidRequest(
            Text(
                f"candidate: this trace has {len(run.rows)}, counted from 0.",
                f"candidate：此记录有 {len(run.rows)} 个候选，从 0 数起。",
            ),
            parameter="candidate",
        )
    values = parameters.validate({**parameters.changed(run.values), **given})
    check(run.rows[row], values)
    return replays.replay(run.rows[row], values)


def read(file: str) -> KeptRun:
    """The kept run of a trace. Raises PlaygroundError where one of its files is missing or is something else."""
    for path in (Path(file), logits_of(file)):
        if not path.is_file():
            raise PlaygroundError(
                Text(f"{str(path)!r} is not there.", f"找不到 {str(path)!r}。"),
                Text("A trace is two files: FILE and FILE.safetensors.", "一份记录由 FILE 与 FILE.safetensors 组成。"),
            )
    try:
        with safe_open(logits_of(file), framework="pt") as tensors:
            facts = json.loads((tensors.metadata() or {})["trace"])
            return _opened(facts, {name: tensors.get_tensor(name) for name in tensors.keys()})  # noqa: SIM118
    except InvalidRequest:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise PlaygroundError(
            Text(
                f"{str(logits_of(file))!r} is no trace of a run, or is damaged.",
                f"{str(logits_of(file))!r} 不是运行记录，或已损坏。",
            ),
            Text("Write it anew with generate --trace.", "请用 generate --trace 重新写出。"),
        ) from error


def _lines(run: KeptRun) -> Iterator[dict[str, Any]]:
    for candidate, row in enumerate(run.rows):
        scene = Scene(row, run.values)
        for index, token in enumerate(row.tokens):
            fall = here(scene, index)
            scene.chosen(index)
            fate = next(fate for fate in fall.fates if fate.token.token_id == token)
            assert fall.draw is not None
            second = fall.draw.runner_up
            yield {
                "candidate": candidate,
                "index": index,
                "token_id": token,
                "text": fate.token.text,
                "logprob": math.log(fate.p_model) if fate.p_model else None,
                "rank": fate.rank,
                "entropy_nats": fall.entropy * _BIT,
                "stages": [_stage(stage) for stage in fall.stages],
                "drawn": {
                    "probability": fall.draw.probability,
                    "runner_up": second and {"token_id": second.token.token_id, "text": second.token.text},
                },
            }


def _stage(stage: StageChange) -> dict[str, Any]:
    top = [
        {"token_id": one.token.token_id, "text": one.token.text, "before": one.before, "after": one.after}
        for one in stage.top
    ]
    return {
        "name": stage.stage,
        "alive": stage.alive_after,
        "mass_cut": stage.mass_cut,
        "entropy_nats": stage.entropy_after * _BIT,
        "top": top,
    }


def _facts(run: KeptRun) -> dict[str, Any]:
    """What a replay needs beside the logits."""
    setting = run.setting
    return {
        "format": FORMAT,
        "values": dict(run.values),
        "prompt": setting.prompt[0].tolist(),
        "eos": setting.eos,
        "vocab_size": setting.vocab_size,
        "context": setting.context,
        "special": dict(setting.tokenizer.special_tokens_map),
        "rows": [_row(row) for row in run.rows],
    }


def _row(row: KeptRow) -> dict[str, Any]:
    forbidden = {at: {str(token): phrase for token, phrase in ruled.items()} for at, ruled in row.forbidden.items()}
    return {"seed": row.seed, "tokens": row.tokens, "finish": row.finish, "forbidden": forbidden}


def _tensors(run: KeptRun) -> dict[str, torch.Tensor]:
    found = {}
    for number, row in enumerate(run.rows):
        raw, second = row.whole()
        if raw is not None:
            found[f"logits.{number}"] = raw
        if second is not None:
            found[f"unconditional.{number}"] = second
    backend = getattr(run.setting.tokenizer, "backend_tokenizer", None)
    if backend is not None:
        found["tokenizer"] = torch.frombuffer(bytearray(backend.to_str().encode()), dtype=torch.uint8)
    return found


def _opened(facts: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> KeptRun:
    """A kept run from what the files say; whatever does not fit together raises ValueError or its like."""
    if facts["format"] != FORMAT:
        raise ValueError("another format")
    values = parameters.validate(facts["values"])
    if values["num_beams"] > 1:
        raise PlaygroundError(BEAMS)
    size, eos = _whole(facts["vocab_size"], 1), [_whole(token) for token in facts["eos"]]
    prompt = [_whole(token, 0, size) for token in facts["prompt"]]
    backend = Tokenizer.from_str(bytes(tensors["tokenizer"].tolist()).decode())
    special = {str(name): str(text) for name, text in facts["special"].items() if isinstance(text, str)}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **special)
    changed, greedy = effect(values, has_eos=bool(eos))
    setting = Setting(
        values=changed,
        greedy=greedy,
        prompt=torch.tensor([prompt]),
        tokenizer=tokenizer,
        labels=Labels(tokenizer),
        eos=eos,
        vocab_size=size,
        context=_whole(facts["context"], 1),
        traced=False,
        expired=lambda: False,
    )
    run = KeptRun(None, "", values, setting, [_whole(row["seed"]) for row in facts["rows"]])
    for number, (row, told) in enumerate(zip(run.rows, facts["rows"], strict=True)):
        tokens = [_whole(token, 0, size) for token in told["tokens"]]
        forbidden = {
            _whole(int(at)): {_whole(int(token), 0, size): str(phrase) for token, phrase in ruled.items()}
            for at, ruled in told["forbidden"].items()
        }
        _fill(row, tokens, tensors.get(f"logits.{number}"), tensors.get(f"unconditional.{number}"), size)
        row.tokens, row.finish, row.forbidden = tokens, told["finish"], forbidden
    run.closed = True
    return run


def _fill(row: KeptRow, tokens: list[int], raw: torch.Tensor | None, second: torch.Tensor | None, size: int) -> None:
    """The logits back where a run keeps them; where the luck stood follows from the seed and the count of picks."""
    for scores in (raw, second):
        if scores is not None and (scores.shape != (len(tokens), size) or not scores.is_floating_point()):
            raise ValueError("the logits are of another shape")
    if raw is None:
        if tokens:
            raise ValueError("the logits are missing")
        return
    luck = Luck(row.seed, torch.device("cpu"), greedy=row.run.setting.greedy)
    for place in range(len(tokens)):
        unconditional = None if second is None else second[place : place + 1]
        row.put(place, raw[place : place + 1].float(), unconditional, raw.dtype, luck.state())
        luck.skip(size)


def _whole(value: Any, low: int = 0, high: int = 2**53) -> int:
    if type(value) is not int or not low <= value < high:
        raise ValueError("a number is out of range")
    return value
