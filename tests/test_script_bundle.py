"""The joined scripts do what the modules do: each runs once, and none has what the joining would break."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from playground.ui import page_files, script_bundle
from playground.ui.page_data import LATE_TABS

ROOT = Path(__file__).parent.parent
NODE = ROOT / ".venv" / "bin" / "node"
MODULES = page_files.scripts()
IMPORTED = re.compile(r'(?:from|^import) "([^"]+)"', re.MULTILINE)


def imports(path: str) -> list[str]:
    folder = Path(path).parent
    named = [name for name in IMPORTED.findall(MODULES[path]) if name.startswith(".")]
    return [(ROOT / folder / name).resolve().relative_to(ROOT).as_posix() for name in named]


@pytest.mark.parametrize("path", MODULES)
def test_a_module_imports_at_its_top_and_exports_what_never_changes(path: str) -> None:
    code = script_bundle._body(path, MODULES[path])
    unknown = re.search(r"^(import|export)\b|\bimport\(", code, re.MULTILINE)
    assert not unknown, "the joining does not know it"
    assert not re.search(r"(const|let|function|class|\() ?\$\b", MODULES[path]), "$ is the joining's own name"
    assert set(imports(path)) <= set(MODULES)


def test_no_module_imports_itself_by_way_of_others() -> None:
    done: set[str] = set()

    def visit(path: str, way: tuple[str, ...]) -> None:
        assert path not in way, " → ".join((*way, path))
        if path not in done:
            for one in imports(path):
                visit(one, (*way, path))
        done.add(path)

    for path in MODULES:
        visit(path, ())


def test_no_module_of_the_start_needs_one_of_a_tab_that_comes_late() -> None:
    late = {path for path in MODULES if path.partition("/")[0] in LATE_TABS}
    needed = {one for path in MODULES.keys() - late for one in imports(path)}
    assert late and not needed & late


def test_joined_modules_export_import_and_run_once_as_modules_do(tmp_path: Path) -> None:
    modules = {
        "page/main.js": 'import "./log.js";\nimport { log } from "./log.js";\n// a comment\nlog("main");\n',
        "page/log.js": '/** @param {string} text */\nexport const log = (text) => console.log(text);\nlog("once");\n',
        "page/more.js": "export class Box {\n  size = 2;\n}\nexport function half(box) {\n  return box.size / 2;\n}\n",
        "data/words.js": 'export default JSON.parse("[1,2]");\n',
        "write/page.js": 'import words from "playground/data/words.js";\nimport * as all from "../page/more.js";\n'
        "import {\n  Box,\n  half as part,\n} from \"../page/more.js\";\n"
        'import { log } from "../page/log.js";\nlog(`${words} ${part(new Box())} ${Object.keys(all)}`);\n',
        "page/later.js": "export const open = (name) => import(`../${name}`);\n",
    }
    files = script_bundle.bundles(modules, ["write"], "page/main.js")
    files |= {path: script_bundle.separate(path, code) for path, code in modules.items()}
    for name, code in files.items():
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(code, encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "use.js").write_text(
        'import { open } from "./page/later.js";\nawait open("write/page.js");\nawait open("write/page.js");\n'
        'console.log((await import("./data/words.js")).default.length);\n',
        encoding="utf-8",
    )
    done = subprocess.run([NODE, tmp_path / "use.js"], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == "" and done.stdout.splitlines() == ["once", "main", "1,2 1 Box,half", "2"]
