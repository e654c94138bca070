"""One truth per fact: outside the registry a parameter is named only where the code must treat it by name."""

import re
from pathlib import Path

from playground import parameters
from playground.settings import Limits, Settings, records

ROOT = Path(__file__).parent.parent / "playground"

# Module -> why it names parameters. A new entry wants a reason that no record of the registry could take over.
NAMES = {
    "inspection/diagnose.py": "a remedy is a setting of a named parameter",
    "inspection/inspect_api.py": "a beam search keeps nothing to look into",
    "inspection/reading.py": "a look needs no beams, and draws where a seed is given",
    "inspection/replay.py": "stops and the length are no stages of the pipeline",
    "inspection/replay_context.py": "banned phrases and seeds are no stages of the pipeline",
    "inspection/run_queries.py": "what cannot be replayed without the model",
    "inspection/trace_file.py": "a row of a trace has its seed, and a beam search has no trace",
    "sampling/adaptive.py": "explains each stage with what its parameters are set to",
    "sampling/community_cutoffs.py": "explains each stage with what its parameters are set to",
    "sampling/constraints.py": "explains each stage with what its parameters are set to",
    "sampling/cutoffs.py": "explains each stage with what its parameters are set to",
    "sampling/penalties.py": "explains each stage with what its parameters are set to",
    "sampling/temperature.py": "explains each stage with what its parameters are set to",
    "sampling/watermark.py": "explains each stage with what its parameters are set to",
    "sampling/form.py": "one stage for all ways to say a form, and which of them was wrong",
    "sampling/pipeline.py": "the order decides which stages are built",
    "batch.py": "each row has its own seeds, as many as it has texts; beams have no fast path",
    "conversation.py": "turns must fit beside the answer's length, and the negative prompt is a text as they are",
    "cli/result_files.py": "a row of results tells its seed",
    "cli/batch_command.py": "the seed of a batch is kept beside its rows",
    "tables/rows.py": "a row of results tells its seed",
    "decoding/run_store.py": "at temperature 0 nothing is drawn, whoever draws",
    "decoding/row.py": "ends a row: length, stop strings, banned phrases; guidance's second sequence",
    "decoding/beam_search.py": "hands beams to transformers under transformers' own names",
    "fast/job.py": "how long a sequence may become decides how much memory it takes; how many guesses are wanted",
    "fast/running_batch.py": "what asks for too much memory is refused by name",
    "cli/flags.py": "splits TEXT=NUMBER at the last sign, since a text may hold one",
    "field_titles.py": "the negative prompt is a text of the request like the others",
    "generate.py": "caps of a public server, seeds, the negative prompt's length",
    "generators/checks.py": "beams have no fast path",
    "generators/local.py": "rows, seeds, time, guidance and beams are the engine's own",
    "generators/remote/engine_reader.py": "what is only looked at has the seed of its request",
    "generators/remote/kinds.py": "a probe of one token, and what acts only on a server that was started for it",
    "generators/remote/known_server.py": "the length, the seed and stop strings are set row by row",
    "generators/remote/vllm.py": "the length, the seed and stop strings are set row by row",
    "generators/remote/generator.py": "rows, seeds, the length and the time are done on this side of an engine",
    "rendering/spellings.py": "the ways to write what each kind of bias names",
    "generators/remote/row_writer.py": "stop strings act on this side of an engine",
    "generators/remote/sample_here.py": "what needs more than the probabilities of one step",
    "generators/remote/opening.py": "each way of asking is tried with one token",
    "generators/remote/openai_server.py": "a stop string must not end a thought; `seed` and `stop` are fields too",
    "generators/remote/llama_cpp.py": "a probe of one token sets the same fields as a text",
    "generators/scripted.py": "a script has rows, a length and stop strings",
    "tasks/knob_presets.py": "a model's generation_config leaves top_k and do_sample unsaid",
    "tasks/output.py": "which parameter holds a text to each kind of result",
    "tasks/user_task.py": "a seed belongs to a run, not to the task that is saved from it",
    "training": "a training has a seed, a stop and an early stop of its own; its samples are one short text each",
    "cli/train_command.py": "`stop` is also what becomes of a training",
    "cli/measure_command.py": "writes many rows from one seed on, and only one where nothing is drawn",
    "cli/replay_command.py": "a beam search has no trace",
    "tasks/keyword_runs.py": "English negations end with a letter that is also a parameter",
    "tasks/loader.py": "an example is made with a seed",
    "mcp_server/calls.py": "progress is told in tokens; ids mean nothing to an agent that knows no tokenizer",
    "mcp_server/results.py": "each text is told with its seed",
    "mcp_server/schemas.py": "each text is told with its seed",
    "run.py": "a Run reports its seeds",
    "generators/remote/playground_questions.py": "a part of a text has its first token and its stop",
    "generators/remote/playground.py": "as many rows must end as were asked for",
    "openai_api/answers.py": "a choice tells its seed",
    "openai_api/fields.py": "OpenAI's own fields, some of which are called as parameters are",
    "openai_api/growing_choice.py": "a text that may step back for a phrase is sent later; `stop` is also an end",
    "openai_api/playground_routes.py": "a run tells its seed",
    "openai_api/request_body.py": "OpenAI's names for parameters, and its own defaults",
    "openai_api/server.py": "a beam search has no scores of single tokens, and no fast path",
    "types.py": "`stop` is also a finish reason",
    "serving/model_pool.py": "`stop` is also what becomes of running texts",
    "serving/model_switch.py": "`stop` is also what becomes of running texts",
    "ui": "the seed's lock, the number of candidates and the stop button are widgets of their own",
}


def named_in(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [p.name for p in parameters.REGISTRY if re.search(rf"""["']{p.name}["']""", text)]


def test_only_modules_with_a_reason_name_a_parameter() -> None:
    strangers = {}
    for path in sorted((*ROOT.rglob("*.py"), *ROOT.rglob("*.js"))):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith("parameters/") or place in NAMES or place.split("/")[0] in NAMES:
            continue
        if found := named_in(path):
            strangers[place] = found
    assert strangers == {}


def test_a_help_sentence_stands_in_the_registry_and_nowhere_else() -> None:
    sentences = [sentence for p in parameters.REGISTRY for sentence in (p.help.en, p.help.zh)]
    repeated = [
        (path.name, sentence)
        for path in (*ROOT.rglob("*.py"), *ROOT.rglob("*.js"))
        if "parameters" not in path.parts
        for sentence in sentences
        if sentence in path.read_text(encoding="utf-8")
    ]
    assert repeated == []


def test_a_flag_of_a_setting_is_added_by_its_record_and_nowhere_else() -> None:
    flags = {one.flag for one in (*records(Settings), *records(Limits))}
    added = {
        flag
        for path in ROOT.rglob("*.py")
        for flag in re.findall(r"""add_argument\(\s*["'](--[a-z-]+)["']""", path.read_text(encoding="utf-8"))
    }
    assert len(added) > 20
    assert added & flags == {"--path"}  # of a command: the path of its own runs, with a default of its own
