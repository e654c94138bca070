"""A run on disk: JSON lines for a reader, the logits beside them for a replay. docs/trace.md is the format.

A file may come from a stranger: tensors and JSON only, every size and value checked. Knows no model.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from playground import parameters
from playground.decoding.row import Setting, effect
from playground.decoding.run_store import StoredRow, StoredRun
from playground.generators.remote.engine_tokenizer import EngineTokenizer
from playground.inspection import engine_vocabulary
from playground.inspection import replay as replays
from playground.inspection.replay_context import ReplayContext
from playground.inspection.run_queries import BEAMS, check, check_draws, finished
from playground.inspection.stage_breakdown import here
from playground.inspection_results import Replayed, StageChange
from playground.rendering.detokenize import Labels
from playground.sampling.draw import RowRNG
from playground.thinking import CHANNEL, TAGS
from playground.types import InvalidRequest, PlaygroundError, Text

FORMAT = 1
VERSIONS = ("torch", "transformers", "tokenizers")
LONGEST = 2**24  # bytes of one line
LARGEST_TOKENIZER = 2**26  # bytes
NUMBERS = ("F32", "F16", "BF16")
SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_BIT = math.log(2)


def write(file: str, run_id: str, header: Mapping[str, Any]) -> None:
    """The run as it stands, the logits first: lines are written one by one, and what is there of them is valid.

    Raises PlaygroundError where the run is not kept, or the files cannot be written.
    """
    run = finished(run_id, 0).run
    versions = {"format": FORMAT, **{name: importlib.metadata.version(name) for name in VERSIONS}}
    try:
        save_file(_tensors(run), logits_of(file), metadata={"trace": json.dumps(_facts(run))})
        with Path(file).open("w", encoding="utf-8", buffering=1) as lines:
            for line in itertools.chain([{**header, "versions": versions}], _lines(run)):
                lines.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PlaygroundError(
            Text(f"The trace {file!r} cannot be written: {reason}.", f"无法写入记录 {file!r}：{reason}。")
        ) from error


def logits_of(file: str) -> Path:
    """The file of logits beside a trace."""
    return Path(f"{file}.safetensors")


def replay(file: str, row: int, given: Mapping[str, Any]) -> Replayed:
    """One candidate of a trace under other values. Raises PlaygroundError for what is no trace, or needs the model."""
    run = read(file)
    if not 0 <= row < len(run.rows):
        raise InvalidRequest(
            Text(
                f"This trace has no candidate {row}; it has {len(run.rows)}, counted from 0.",
                f"此记录没有候选 {row}；它有 {len(run.rows)} 个候选，从 0 数起。",
            ),
            parameter="candidate",
        )
    values = parameters.validate({**run.values, **given})
    check(run.rows[row], values)
    check_draws(run, values)
    return replays.replay(run.rows[row], values)


def read(file: str) -> StoredRun:
    """The kept run of a trace. Raises PlaygroundError where one of its files is missing, damaged or something else, or
    the two are not of one run."""
    for path in (Path(file), logits_of(file)):
        if not path.is_file():
            raise PlaygroundError(
                Text(f"{str(path)!r} is not there.", f"找不到 {str(path)!r}。"),
                Text("A trace is two files: FILE and FILE.safetensors.", "一份记录由 FILE 与 FILE.safetensors 组成。"),
            )
    with _reading(logits_of(file)), safe_open(logits_of(file), framework="pt") as tensors:
        facts = json.loads((tensors.metadata() or {})["trace"])
        run = _opened(facts, _Tensors(tensors))
    with _reading(Path(file)):
        _check_lines(Path(file), run)
    return run


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever a damaged or foreign file leads to is one sentence."""
    try:
        yield
    except PlaygroundError:
        raise
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> PlaygroundError:
    return PlaygroundError(
        Text(f"{str(path)!r} is no trace of a run, or is damaged.", f"{str(path)!r} 不是运行记录，或已损坏。"),
        Text("Write it anew with generate --trace.", "请用 generate --trace 重新写出。"),
    )


def _check_lines(path: Path, run: StoredRun) -> None:
    """The lines must tell the very tokens that the logits are of; the last ones may be missing."""
    expected = [(at, index, token) for at, row in enumerate(run.rows) for index, token in enumerate(row.tokens)]
    with path.open("rb") as lines:
        header = _parsed(lines.readline(LONGEST))
        if header["versions"]["format"] != FORMAT or header["request"]["values"] != parameters.changed(run.values):
            raise ValueError("the header is of another run")
        for wanted in expected:
            written = lines.readline(LONGEST)
            if not written:
                break
            line = _parsed(written)
            if (line["candidate"], line["index"], line["token_id"]) != wanted:
                raise ValueError("a line is of another token")
        if lines.read(1):
            raise ValueError("more lines than tokens")


def _parsed(line: bytes) -> Any:
    if not line.endswith(b"\n"):
        raise ValueError("a line is cut off, or too long")
    return json.loads(line)


class _Tensors:
    """The tensors of a file, each looked at before it is read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._names = frozenset(file.keys())

    def scores(self, name: str, shape: tuple[int, int]) -> torch.Tensor | None:
        if name not in self._names:
            return None
        part = self._file.get_slice(name)
        if tuple(part.get_shape()) != shape or part.get_dtype() not in NUMBERS:
            raise ValueError("the logits are of another shape")
        found: torch.Tensor = self._file.get_tensor(name)
        best = found.float().amax(dim=1) if found.numel() else found.new_zeros(1)
        if not bool(torch.isfinite(best).all()):
            raise ValueError("the logits are not numbers")
        return found

    def tokenizer(self, special: Mapping[str, Any]) -> PreTrainedTokenizerFast | EngineTokenizer:
        if self._names >= engine_vocabulary.NAMES:
            found = [self._bytes(name) for name in engine_vocabulary.TENSORS]
            return engine_vocabulary.opened(*found)
        if "tokenizer" not in self._names:
            raise PlaygroundError(
                Text("This trace was written without its tokenizer.", "此记录未包含分词器。"),
                Text("Replay needs one; the lines can be read all the same.", "重放需要分词器；各行内容仍可阅读。"),
            )
        try:
            backend = Tokenizer.from_str(self._bytes("tokenizer").decode())
        except Exception as error:
            raise ValueError("the tokenizer cannot be read") from error
        named = {name: text for name, text in special.items() if name in SPECIAL and isinstance(text, str)}
        return PreTrainedTokenizerFast(tokenizer_object=backend, **named)

    def _bytes(self, name: str) -> bytes:
        part = self._file.get_slice(name)
        if len(part.get_shape()) != 1 or part.get_dtype() != "U8" or part.get_shape()[0] > LARGEST_TOKENIZER:
            raise ValueError("the tokenizer is of another shape")
        found: bytes = self._file.get_tensor(name).numpy().tobytes()
        return found


def _lines(run: StoredRun) -> Iterator[dict[str, Any]]:
    for candidate, row in enumerate(run.rows):
        scene, known = ReplayContext(row, run.values), run.draws_known(run.values)
        row.fetch()
        for index, token in enumerate(row.tokens):
            fall = here(scene, index, with_draw=known)
            scene.chosen(index)
            outcome = next(outcome for outcome in fall.outcomes if outcome.token.token_id == token)
            second = fall.draw.runner_up if fall.draw is not None else None
            yield {
                "candidate": candidate,
                "index": index,
                "token_id": token,
                "text": outcome.token.text,
                "logprob": math.log(outcome.p_model) if outcome.p_model else None,
                "rank": outcome.rank,
                "entropy_nats": fall.entropy * _BIT,
                "stages": [_stage(stage) for stage in fall.stages],
                "drawn": {
                    "probability": outcome.p_after if fall.draw is None else fall.draw.probability,
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


def _thinks(begin: Any) -> str | None:
    if begin and begin not in TAGS and not str(begin).startswith(CHANNEL):
        raise ValueError("no beginning of a thought")
    return None if begin is None else str(begin)


def _facts(run: StoredRun) -> dict[str, Any]:
    """What a replay needs beside the logits."""
    setting = run.setting
    return {
        "format": FORMAT,
        "values": dict(run.values),
        "prompt": setting.prompt[0].tolist(),
        "eos": setting.eos,
        "vocab_size": setting.vocab_size,
        "context": setting.context,
        "written": setting.written,
        "thinks": setting.thinks,
        "visible": {str(token): text for token, text in setting.visible.items()},
        "special": dict(getattr(setting.tokenizer, "special_tokens_map", {})),
        "own_draws": run.own_draws,
        "device": "cpu" if setting.portable else setting.prompt.device.type,
        "rows": [_row(row) for row in run.rows],
    }


def _row(row: StoredRow) -> dict[str, Any]:
    forbidden = {at: {str(token): phrase for token, phrase in ruled.items()} for at, ruled in row.forbidden.items()}
    return {"seed": row.seed, "tokens": row.tokens, "finish": row.finish, "forbidden": forbidden}


def _tensors(run: StoredRun) -> dict[str, torch.Tensor]:
    found = {}
    for number, row in enumerate(run.rows):
        raw, second = row.whole()
        if raw is not None:
            found[f"logits.{number}"] = raw
        if second is not None:
            found[f"unconditional.{number}"] = second
    tokenizer = run.setting.tokenizer
    if isinstance(tokenizer, EngineTokenizer):
        parts = zip(engine_vocabulary.TENSORS, engine_vocabulary.written(tokenizer, run.setting), strict=True)
        return found | {name: torch.frombuffer(bytearray(data), dtype=torch.uint8) for name, data in parts}
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        found["tokenizer"] = torch.frombuffer(bytearray(backend.to_str().encode()), dtype=torch.uint8)
    return found


def _opened(facts: Mapping[str, Any], tensors: _Tensors) -> StoredRun:
    """A kept run from what the files say; whatever does not fit together raises ValueError or its like."""
    if facts["format"] != FORMAT:
        raise ValueError("another format")
    values = parameters.validate(facts["values"])
    if values["num_beams"] > 1:
        raise PlaygroundError(BEAMS)
    size = _whole(facts["vocab_size"], 1)
    eos, prompt = ([_whole(token, 0, size) for token in facts[name]] for name in ("eos", "prompt"))
    if not prompt:
        raise ValueError("the prompt is missing")
    tokenizer = tensors.tokenizer(facts["special"])
    changed, greedy = effect(values, has_eos=bool(eos))
    setting = Setting(
        values=changed,
        greedy=greedy,
        prompt=torch.tensor([prompt], device=_device(facts["device"])),
        tokenizer=tokenizer,
        labels=Labels(tokenizer),
        eos=eos,
        vocab_size=size,
        context=_whole(facts["context"], 1),
        traced=False,
        expired=lambda: False,
        written=str(facts.get("written", "")),
        thinks=_thinks(facts.get("thinks")),
        visible={_whole(int(token), 0, size): str(text) for token, text in facts.get("visible", {}).items()},
    )
    run = StoredRun(None, "", values, setting, [_whole(row["seed"]) for row in facts["rows"]])
    for number, (row, stored) in enumerate(zip(run.rows, facts["rows"], strict=True)):
        tokens = [_whole(token, 0, size) for token in stored["tokens"]]
        shape = len(tokens), size
        second = tensors.scores(f"unconditional.{number}", shape)
        if tokens and second is None and changed["guidance_scale"] != 1:
            raise ValueError("guidance's logits are missing")
        _fill(row, tokens, tensors.scores(f"logits.{number}", shape), second)
        row.tokens, row.finish = tokens, stored["finish"]
        row.forbidden = {
            _whole(int(at)): {_whole(int(token), 0, size): str(phrase) for token, phrase in ruled.items()}
            for at, ruled in stored["forbidden"].items()
        }
    run.own_draws = facts.get("own_draws", True) is True
    run.closed = True
    return run


def _device(kind: Any) -> torch.device:
    """The noise is drawn anew, and each kind of device draws its own."""
    if kind == "cpu" or (kind == "cuda" and torch.cuda.is_available()):
        return torch.device(kind)
    raise PlaygroundError(
        Text(
            f"The random numbers of this run were drawn on {str(kind)[:20]!r}, which this machine does not have.",
            f"此次运行的随机数由 {str(kind)[:20]!r} 产生，本机没有这种设备。",
        ),
        Text("Replay it on a machine that has one.", "请在具备该设备的机器上重放。"),
    )


def _fill(row: StoredRow, tokens: list[int], raw: torch.Tensor | None, second: torch.Tensor | None) -> None:
    """The logits back where a run keeps them; the generator's states follow from the seed and the count of draws."""
    if raw is None:
        if tokens:
            raise ValueError("the logits are missing")
        return
    setting = row.run.setting
    rng = RowRNG(row.seed, setting.prompt.device, greedy=setting.greedy, portable=setting.portable)
    for place in range(len(tokens)):
        unconditional = None if second is None else second[place : place + 1]
        row.put(place, raw[place : place + 1].float(), unconditional, raw.dtype, rng.state())
        rng.skip(raw.shape[1])


def _whole(value: Any, low: int = 0, high: int = 2**53) -> int:
    if type(value) is not int or not low <= value < high:
        raise ValueError("a number is out of range")
    return value
