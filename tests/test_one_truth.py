"""One truth per fact: outside the registry a parameter is named only where the code must treat it by name."""

import re
from pathlib import Path

from playground import parameters

ROOT = Path(__file__).parent.parent / "playground"

# Module -> why it names parameters. A new entry wants a reason that no record of the registry could take over.
NAMES = {
    "decoding/answers.py": "what cannot be replayed without the model",
    "decoding/chain.py": "the order decides which stages are built",
    "decoding/filled.py": "fills each stage's formula with what its parameters are set to",
    "decoding/form.py": "one stage for all ways to say a form, and which of them was wrong",
    "batch.py": "each row has its own seeds, as many as it has texts; beams have no fast path",
    "conversation.py": "turns must fit beside the answer's length, and the negative prompt is a text as they are",
    "batch_files.py": "a row of results tells its seed",
    "cli/batch.py": "the seed of a batch is kept beside its rows",
    "tables/rows.py": "a row of results tells its seed",
    "decoding/margins.py": "quotes a stage's value beside the numbers measured there",
    "decoding/prepared.py": "guidance's scale belongs to the scores",
    "decoding/replay.py": "stops and the length are not stages of the chain",
    "decoding/row.py": "ends a row: length, stop strings, banned phrases; guidance's second lane",
    "decoding/samplers.py": "lists the factories by the stage they serve",
    "decoding/scene.py": "banned phrases, guidance's scale and seeds are not stages of the chain",
    "decoding/search.py": "hands beams to transformers under transformers' own names",
    "decoding/swift.py": "guidance's scale belongs to the scores that were summed up",
    "decoding/swift_edits.py": "the order decides which stages come first",
    "decoding/wrapped.py": "says which of a sampler's inputs was wrong",
    "decoding/trace_file.py": "a row of a trace has its seed, and a beam search has no trace",
    "doctor.py": "a remedy is a setting of a named parameter",
    "fast/job.py": "how long a sequence may become decides how much memory it takes; how many guesses are wanted",
    "fast/running.py": "what asks for too much memory is refused by name",
    "cli/flags.py": "splits TEXT=NUMBER at the last sign, since a text may hold one",
    "generate.py": "caps of a public server, seeds, the negative prompt's length",
    "generators/checks.py": "beams have no fast path",
    "generators/local.py": "rows, seeds, time, guidance and beams are the engine's own",
    "generators/reading.py": "a look needs no beams, and draws where a seed is given",
    "generators/scripted.py": "a script has rows, a length and stop strings",
    "tasks/knob_presets.py": "a model's generation_config leaves top_k and do_sample unsaid",
    "tasks/output.py": "which parameter holds a text to each kind of result",
    "tasks/user_task.py": "a seed belongs to a run, not to the task that is saved from it",
    "cli/measure.py": "writes many rows from one seed on, and only one where nothing is drawn",
    "cli/replay.py": "a beam search has no trace",
    "settings.py": "caps of a public server",
    "tasks/loader.py": "an example is made with a seed",
    "types.py": "a Run reports its seeds; `stop` is also a finish reason",
    "xray.py": "what cannot be replayed without the model",
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
