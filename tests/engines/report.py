"""docs/engines-report.md: knobs × engines, from the registry and from what was seen on real servers.

`python -m tests.engines.report` writes the page; the tests on real servers keep what they saw beside it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from playground import parameters
from playground.parameters import engines

PAGE = Path(__file__).parent.parent.parent / "docs" / "engines-report.md"
KEPT = Path(__file__).with_name("seen.json")
CONTRACT = Path(__file__).with_name("contract.json")
PEERS = (
    "llama.cpp, drawn here", "llama.cpp", "vLLM", "transformers serve", "OpenAI-compatible", "Playground", "local",
    "scripted",
)  # fmt: skip
"""The generators of tests/test_generators.py."""
_ENDS = ("failure", "error", "skipped")
_HEAD = """# Knobs and engines

<!-- Written by `python -m tests.engines.report`; change `playground/parameters/engines/`. -->

What each engine takes, from the records that requests are made of, and what was seen on a real server: **seen** means
that each end of the knob changed the tokens that were drawn with the same seeds. Such a run is `make test-engines`.
**here** means that Playground does it itself, whatever the engine. A dash means that the engine has no such knob: it is
grey on the page, and a request that sets it is refused with its name.

"""


def keep(kind: str, version: str, seen: Mapping[str, Sequence[bool]]) -> None:
    """Adds one engine's run to what is kept."""
    kept = seen_before()
    kept[kind] = {"version": version, "seen": {name: list(both) for name, both in sorted(seen.items())}}
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def keep_contract(found: Path) -> None:
    """Adds to what is kept how the contract of all generators went, for each of those that pytest's XML tells of."""
    kept = contract_before()
    counts: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(found).iter("testcase"):
        _, _, ids = str(case.get("name")).partition("[")
        peer = next((one for one in PEERS if re.search(rf"(^|-){re.escape(one)}(-|$)", ids.removesuffix("]"))), None)
        if peer is not None:
            counts.setdefault(peer, Counter())[next((one.tag for one in case if one.tag in _ENDS), "passed")] += 1
    kept |= {peer: dict(sorted(some.items())) for peer, some in counts.items()}
    CONTRACT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")


def contract_before() -> dict[str, dict[str, int]]:
    return json.loads(CONTRACT.read_text(encoding="utf-8")) if CONTRACT.is_file() else {}


def seen_before() -> dict[str, dict[str, object]]:
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}


def render() -> str:
    """The whole page."""
    kept, names = seen_before(), list(engines.ENGINES)
    lines = [_HEAD + "| Knob | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    lines += [
        f"| [{name}](parameters.md#{name}) | "
        + " | ".join(_cell(engine, name, kept.get(engine)) for engine in names)
        + " |"
        for name in parameters.by_name()
    ]
    lines += ["", "## Servers", ""]
    lines += [
        f"- {engine}: " + (f"version {kept[engine]['version']}" if engine in kept else "not run; from its code")
        for engine in names
    ]
    lines += ["", "## One contract", ""]
    lines += ["`tests/test_generators.py` asks the same of every generator. How its tests last ended:", ""]
    lines += ["| Generator | passed | skipped | failed |", "|---|---|---|---|"]
    for peer, ends in sorted(contract_before().items()):
        failed = ends.get("failure", 0) + ends.get("error", 0)
        lines.append(f"| {peer} | {ends.get('passed', 0)} | {ends.get('skipped', 0)} | {failed} |")
    lines += ["", "## Why not", ""]
    for engine in names:
        lines += [f"### {engine}", ""]
        lines += [f"- `{name}`: {reason.en}" for name, reason in engines.refusals(engine).items()]
        lines.append("")
    return "\n".join(lines)


def _cell(engine: str, name: str, kept: Mapping[str, object] | None) -> str:
    field = engines.field(engine, name)
    if name in engines.HERE:
        what = "here"
    elif field is None:
        return "—"
    else:
        what = f"`{field.name}`"
    seen = {} if kept is None else kept["seen"]
    assert isinstance(seen, dict)
    return what + (", seen" if all(seen.get(name, [False])) else "")


def main() -> None:
    PAGE.write_text(render(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
