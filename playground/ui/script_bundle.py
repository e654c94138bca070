"""Joins the page's modules into few files: a browser gets one answer for a hundred modules, packed as one text.

Each module stays a function of its own, in which it imports and exports what it did, and runs once, when it is first
asked for. Modules import at their top and export what never changes (`const`, `class`); tests hold them to that. Types
and comments are for whoever reads the modules, and stay out.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping

START = "start.js"
FOR_ALL = "playground/"  # how a module is named from anywhere; `./` and `../` are beside and above the one that imports
_IMPORT = re.compile(r'^import (?:(?P<one>\w+)|\* as (?P<all>\w+)|\{(?P<some>[^}]*)\}) from "(?P<path>[^"]+)";$', re.M)
_RUN = re.compile(r'^import "(?P<path>[^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?P<kind>const|class|function|async function) (?P<name>\w+)", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LATER = re.compile(r"\bimport\(")
_COMMENT = re.compile(r"[ \t]*/\*\*.*?\*/[ \t]*\n?|^[ \t]*//[^\n]*\n", re.MULTILINE | re.DOTALL)
# `$` gives what a module exports; `$.load` does once it is there, `from` being the module that asks.
_FRAME = """\
const bodies = new Map();
const made = new Map();
const late = LATE;
export const add = (path, body) => bodies.set(path, body);
export const $ = (path) => {
  if (!made.has(path)) made.set(path, bodies.get(path)());
  return made.get(path);
};
$.load = async (from, name) => {
  const path = name.startsWith("playground/") ? name.slice(11) : new URL(name, `file:///${from}`).pathname.slice(1);
  if (bodies.has(path)) return $(path);
  const file = late.find((folder) => path.startsWith(`${folder}/`));
  const found = await import(`./${file ?? path.slice(0, -3)}.js`);
  return file ? $(path) : found;
};
"""


def bundles(modules: Mapping[str, str], late: Iterable[str], main: str) -> dict[str, str]:
    """The files by name: START, which runs `main`, and one for each folder in `late`, which `$.load` asks for."""
    folders = tuple(late)
    parts: dict[str, list[str]] = {name: [] for name in ("", *folders)}
    for path in sorted(modules):
        folder = path.partition("/")[0]
        parts[folder if folder in folders else ""].append(_body(path, modules[path]))
    start = [_FRAME.replace("LATE", json.dumps(folders)), *parts.pop(""), f"$({json.dumps(main)});\n"]
    head = f'import {{ $, add }} from "./{START}";\n'
    files = {f"{folder}.js": "".join((head, *bodies)) for folder, bodies in parts.items()}
    return {START: "".join(start), **files}


def separate(path: str, source: str) -> str:
    """A module that hands on what this one exports, for who asks for it by its own name."""
    names = [match["name"] for match in _EXPORT.finditer(source)]
    head = f'import {{ $ }} from "./{"../" * path.count("/")}{START}";\nconst module = $({json.dumps(path)});\n'
    default = "export default module.default;\n" if _DEFAULT.search(source) else ""
    return f"{head}export const {{ {', '.join(names)} }} = module;\n{default}"


def _body(path: str, source: str) -> str:
    code = _COMMENT.sub("", source)
    names = [match["name"] for match in _EXPORT.finditer(code)]
    code = _IMPORT.sub(lambda match: _taken(path, match), code)
    code = _RUN.sub(lambda match: f"{_module(path, match['path'])};", code)
    code = _EXPORT.sub(r"\g<kind> \g<name>", code)
    if _DEFAULT.search(code):
        code, names = _DEFAULT.sub("const theDefault = ", code), [*names, "default: theDefault"]
    code = _LATER.sub(f"$.load({json.dumps(path)}, ", code)
    return f"add({json.dumps(path)}, () => {{\n{code}return {{ {', '.join(names)} }};\n}});\n"


def _taken(path: str, match: re.Match[str]) -> str:
    found = _module(path, match["path"])
    if match["all"]:
        return f"const {match['all']} = {found};"
    if match["one"]:
        return f"const {{ default: {match['one']} }} = {found};"
    names = (" ".join(part.split()).replace(" as ", ": ") for part in match["some"].split(",") if part.strip())
    return f"const {{ {', '.join(names)} }} = {found};"


def _module(path: str, named: str) -> str:
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
    return f"$({json.dumps(named.removeprefix(FOR_ALL) if named.startswith(FOR_ALL) else beside)})"
