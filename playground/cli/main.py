"""The same playground for a terminal: generate, batch, train, replay, params, tasks, models.

Knows no page. torch is imported only once a command needs a model, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

from playground import generate, models, parameters
from playground.cli.batch_command import add_batch
from playground.cli.flags import PROGRAM, Parser, add_parameters, given_values, pairs
from playground.cli.measure_command import add_measure
from playground.cli.replay_command import add_replay, check_place, traced
from playground.cli.terminal import arguments, name_files, prepare, print_json, read_input
from playground.cli.train_command import add_train
from playground.evaluation import recommend
from playground.inspection import inspect_api
from playground.machine import disk
from playground.models import catalogue
from playground.parameters import engines
from playground.parameters.parameter import Parameter
from playground.run import Run
from playground.settings import ModelSettings, add_flags, read
from playground.tasks import loader
from playground.types import FINISH_WORDS, Generator, InvalidRequest, PlaygroundError, Request, Text

_FILES = (
    "source", "out", "csv", "task_file", "trace", "file", "report", "model", "adapter", "offload_folder", "validation",
    "target",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it did what was asked, 1 with the reasons when a text failed, 2 when it could not."""
    prepare()
    given = _parser().parse_args(arguments(argv))
    name_files(given, _FILES)
    try:
        code = int(given.command(given))
        sys.stdout.flush()  # here, where a full disk can still be reported
        return code
    except PlaygroundError as error:
        print(f"{PROGRAM}: {error.say('en')}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        if not disk.is_full(error):
            raise
        print(f"{PROGRAM}: {disk.FULL_HERE.en}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROGRAM, description="Text generation with every sampling knob in reach.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_generate(commands)
    add_batch(commands, _load)
    add_replay(commands)
    add_measure(commands, _load)
    add_train(commands, _say_progress)
    for name, command, help_text in (
        ("params", _params, "every sampling parameter: range, neutral value, meaning"),
        ("tasks", _tasks, "the task presets and their fields"),
        ("models", _models, "models that are known to work, and those on this machine"),
    ):
        sub = commands.add_parser(name, help=help_text, description=help_text)
        sub.add_argument("--json", action="store_true", help="print a JSON list")
        sub.set_defaults(command=command)
    return parser


def _add_generate(commands: Any) -> None:
    sub = commands.add_parser(
        "generate",
        help="write a text",
        description="Writes a text from a prompt or a task.",
        allow_abbrev=False,
        epilog="Lists: give the flag several times. Tables: --logit-bias ' magic=5'. Lists of ids: JSON, [[1,2],[3]].",
    )
    sub.add_argument("--prompt", help="what to continue or answer; - reads standard input")
    sub.add_argument("--task", metavar="ID", help="a task preset; see `tasks`")
    sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a field of the task")
    sub.add_argument("--language", choices=("en", "zh"), default="en", help="the task's language")
    sub.add_argument("--mode", choices=("chat", "complete"), help="default: chat where the model has a template")
    sub.add_argument("--system", default="", help="system prompt (chat)")
    sub.add_argument("--prefill", default="", help="beginning of the answer")
    sub.add_argument(
        "--turns", metavar="JSON", help='what was said before (chat): [["user", "Hi."], ["assistant", "Hello."]]'
    )
    sub.add_argument(
        "--special-tokens", action="store_true", help="let control tokens in the prompt act, like <|im_end|>"
    )
    sub.add_argument("--path", choices=("exact", "fast"), default="exact")
    sub.add_argument("--json", action="store_true", help="print one JSON object when done")
    sub.add_argument("--trace", metavar="FILE", help="write every token's stages to FILE, its logits beside it")
    add_flags(sub, ModelSettings, "generate", refuse=True)
    add_parameters(sub)
    sub.set_defaults(command=_generate)


def _generate(given: argparse.Namespace) -> int:
    values = given_values(given)
    request = _draft(given, values)
    if given.trace is not None:
        check_place(given.trace, request)
    generator = _load(given)
    if given.mode is None:
        mode = "chat" if generator.card.has_chat_template else "complete"
        request = _draft(given, values, mode)
    if given.task is not None:
        _say(recommend.beforehand(loader.find(given.task), given.language, generator.card))
    if given.trace is not None:
        request = replace(request, keep=inspect_api.new_run_id())
        inspect_api.limit(sys.maxsize)  # what is to be written is kept whole, whatever it takes
    with closing(traced(generate.run(request, generator), given.trace, request.keep)) as runs:
        run = _follow(runs, quiet=given.json)
    task, fields = (None if given.task is None else loader.find(given.task)), _fields(given)
    if task is not None:
        run.value_of = partial(task.value, fields=fields)
    run.remarks = recommend.remarks(run, generator.card, task, given.language, fields)
    for place, remark in run.remarks:
        if place is not None:  # the rest was said before
            _say_of(run, place, remark)
    if given.json:
        print_json(run.as_json())
    failed = [(place, one.reason) for place, one in enumerate(run.candidates) if one.reason is not None]
    for place, reason in failed:
        _say_of(run, place, reason)
    return 1 if failed else 0


def _draft(given: argparse.Namespace, values: Mapping[str, Any], mode: Any = None) -> Request:
    """The request as it is asked for; everything wrong with it is found before a model is loaded."""
    mode = mode or given.mode or "complete"
    prompt = read_input() if given.prompt == "-" else given.prompt
    given.prompt = prompt
    if given.task is None:
        if given.set:
            raise InvalidRequest(Text("--set goes with --task.", "--set 要与 --task 一起用。"), parameter="set")
        if prompt is None:
            raise InvalidRequest(
                Text("Give a --prompt or a --task.", "请给出 --prompt 或 --task。"), parameter="prompt"
            )
        texts = {"mode": mode, "system": given.system, "prefill": given.prefill, "path": given.path}
        return generate.build(prompt, values, turns=_turns(given.turns), special_tokens=given.special_tokens, **texts)
    if prompt is not None:
        raise InvalidRequest(
            Text("Give either --prompt or --task, not both.", "--prompt 与 --task 只能给一个。"), parameter="prompt"
        )
    for name in ("system", "prefill", "turns", "special_tokens"):
        if getattr(given, name):
            flag = "--" + name.replace("_", "-")
            raise InvalidRequest(Text(f"{flag} goes with --prompt.", f"{flag} 要与 --prompt 一起用。"), parameter=name)
    return generate.of_task(given.task, _fields(given), given.language, mode, values, given.path)


def _fields(given: argparse.Namespace) -> dict[str, str]:
    return pairs("set", given.set)


def _turns(text: str | None) -> Any:
    try:
        return () if text is None else json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            Text(f"--turns is no JSON: {error.msg}, at character {error.pos + 1}.",
                 f"--turns 不是 JSON：{error.msg}，位于第 {error.pos + 1} 个字符。"),
            parameter="turns",
        ) from None  # fmt: skip
    except (ValueError, RecursionError):  # a number or a nesting without end
        raise InvalidRequest(
            Text("--turns is no JSON that can be read.", "--turns 不是能读取的 JSON。"), parameter="turns"
        ) from None


def _say(remark: Text | None) -> None:
    if remark is not None:
        print(f"{PROGRAM}: {remark.en}", file=sys.stderr)


def _say_of(run: Run, place: int, remark: Text) -> None:
    """Said of one candidate, by its number where there are several."""
    _say(remark if len(run.candidates) == 1 else Text(f"{place + 1}: {remark.en}", f"{place + 1}：{remark.zh}"))


def _load(given: argparse.Namespace) -> Generator:
    chosen = read(ModelSettings(), given)
    if chosen.engine:
        from playground.generators.remote.opening import open_chosen  # lazy: imports torch

        return open_chosen(chosen)
    from playground.generators.local import LocalGenerator  # lazy: imports torch

    loaded = models.load(
        chosen.model,
        weights=chosen.weights,
        max_memory=chosen.max_memory,
        offload_folder=chosen.offload_folder,
        trust_remote_code=chosen.trust_remote_code,
        adapter=chosen.adapter,
        adapter_share=chosen.adapter_share,
        report=_say_progress,
    )
    _say(loaded.card.notice)
    return LocalGenerator(loaded)


def _say_progress(stage: Text, share: float | None) -> None:
    if sys.stderr.isatty():
        percent = "" if share is None else f" {share:4.0%}"
        print(f"\r\x1b[K{stage.en}{percent}", end="\n" if share == 1.0 else "", file=sys.stderr, flush=True)


def _follow(runs: Iterator[Run], *, quiet: bool) -> Run:
    """Prints a single candidate while it streams, several when they are done; Ctrl+C stops and keeps the text."""
    shown = 0
    run = next(runs)
    _say(run.notice)
    alone = len(run.candidates) == 1 and not quiet
    for run in runs:
        if alone and len(run.candidates[0].text) > shown:
            print(run.candidates[0].text[shown:], end="", flush=True)
            shown = len(run.candidates[0].text)
    if alone:
        print()
    elif not quiet:
        for number, candidate in enumerate(run.candidates, start=1):
            print(f"--- {number} (seed {candidate.seed})\n{candidate.text.strip()}")
    if not quiet:
        for candidate in run.candidates:
            assert candidate.finish_reason is not None
            finish = FINISH_WORDS[candidate.finish_reason].en
            if run.request.mode == "chat" and candidate.end_token:
                finish += f" {candidate.end_token}"
            guesses = f", {candidate.accepted} of {candidate.proposed} guesses right" if candidate.proposed else ""
            facts = f"{len(candidate.token_ids)} tokens, {finish}, seed {candidate.seed}{guesses}"
            print(f"[{facts}]", file=sys.stderr)
    return run


def _params(given: argparse.Namespace) -> int:
    if given.json:
        print_json([parameter_record(parameter) for parameter in parameters.REGISTRY])
        return 0
    for group, members in parameters.grouped().items():
        print(f"\n{parameters.GROUPS[group].en}")
        for parameter in members:
            print(f"  {parameter.flag:34} {parameter.help.en}")
            print(
                f"  {'':34} {parameter.range_text().en}; neutral {parameter.neutral!r}, default {parameter.default!r}"
            )
    return 0


def parameter_record(parameter: Parameter) -> dict[str, Any]:
    """One parameter as plain data, for `params --json`."""
    texts = ("label", "help", "formula")
    plain = ("name", "kind", "group", "level", "source", "neutral", "default", "low", "high", "step")
    more = ("scale", "hard_low", "hard_high", "stage", "sampler", "argument", "needs")
    record: dict[str, Any] = {key: getattr(parameter, key) for key in (*plain, *more)}
    record.update({key: {"en": getattr(parameter, key).en, "zh": getattr(parameter, key).zh} for key in texts})
    record.update(
        flag=parameter.flag,
        choices=list(parameter.choices),
        order=dict(parameter.order),
        elsewhere=engines.names(parameter),
        allowed=parameter.range_text().en,
    )
    return record


def _tasks(given: argparse.Namespace) -> int:
    found = loader.load_all()
    if given.json:
        print_json([task.record() for task in found])
        return 0
    for task in found:
        print(f"{task.id:18} {task.title.en} / {task.title.zh}: {task.description.en}")
        for field in task.fields:
            print(f"{'':18}   --set {field.name}=…  {field.label.en}")
    return 0


def _models(given: argparse.Namespace) -> int:
    found = catalogue.records(_say_progress)
    if given.json:
        print_json(found)
        return 0
    for item in found:
        print(f"{item['id']:44} {item['title']}" + (f"  [{item['folder']}]" if item.get("folder") else ""))
    return 0
