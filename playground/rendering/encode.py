"""A marked prompt as token ids: what was typed stays text, and every id has its row in the model's embeddings.

Knows no template and no request. Uses transformers' own way to take a control token as ordinary characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from transformers.utils.chat_template_utils import encode_marked_chat, mark_control_tokens

from playground.field_titles import field_title
from playground.rendering.control import ControlTokens, Marked, Part, Unreadable, any_of
from playground.types import Text

_PROBE = "a"
# The signs that transformers sets around a token which is to be read as text.
_BEGINS, _, _ENDS = mark_control_tokens("x", re.compile("x"))


class Encoder:
    """One tokenizer, for one model with `rows` embeddings. May be called from any thread."""

    def __init__(self, tokenizer: Any, control: ControlTokens, rows: int) -> None:
        self._tokenizer = tokenizer
        self.control = control
        self._rows = rows
        beyond = {token.content: number for number, token in tokenizer.added_tokens_decoder.items() if number >= rows}
        self._beyond, self._beyond_pattern = beyond, any_of(beyond)
        self._before = self._put_before()

    @property
    def before(self) -> list[int]:
        """What the tokenizer puts before a plain text; what it would put behind one is never sent."""
        return list(self._before)

    def alone(self, text: str, *, begins: bool, parameter: str, acts: bool = False) -> list[int]:
        """The ids of a text that stands alone. `begins` puts before it what the tokenizer does; what was typed is text,
        unless it `acts`."""
        ids = self.marked(self.control.mark([Part(text, not acts)]), parameter)
        ids = self._before + ids if begins else ids
        self.check(ids, parameter, text)
        return ids

    def marked(self, prompt: Marked, parameter: str = "prompt") -> list[int]:
        """The ids of a whole prompt, as `tokenizer(text)` gives them where nobody typed a control token."""
        if not prompt.inert and not prompt.seams:
            ids = self.plain(prompt.text)
            if not self.control.normalizes or self._keeps_text(prompt, ids):
                return ids
        for apart in (False, True):
            marked = self._with_marks(prompt, apart=apart)
            try:
                with self.control.lock:
                    ids = encode_marked_chat(self._tokenizer, marked)
            except ValueError:  # this vocabulary writes the token from its characters: taken apart, they stay text
                continue
            if self._keeps_text(prompt, ids):
                return ids
        begins, ends = prompt.inert[0] if prompt.inert else (0, 0)
        name = prompt.text[begins:ends]
        raise Unreadable(
            name,
            Text(
                f"{field_title(parameter).en}: this tokenizer cannot read “{name}” as text.",
                f"{field_title(parameter).zh}：此分词器无法把“{name}”当作普通文本。",
            ),
            Text("Leave it out, or put a space into it.", "请删去它，或在其中加一个空格。"),
            parameter=parameter,
        )

    def plain(self, text: str) -> list[int]:
        """The ids of a text in which every control token acts."""
        with self.control.lock:
            ids: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def check(self, ids: Sequence[int], parameter: str, *texts: str) -> None:
        """Raises Refused, naming the token, where an id has no embedding, or a text names a token that has none."""
        found = next((one for one in ids if one >= self._rows), None)
        name = next((match[0] for text in texts if (match := self._beyond_pattern.search(text))), None)
        if found is None and name is None:
            return
        number = self._beyond[name] if name is not None else int(found or 0)
        token = name if name is not None else str(self._tokenizer.convert_ids_to_tokens(number))
        raise Unreadable(
            token,
            Text(
                f"{field_title(parameter).en}: the model has no embedding for the token “{token}” ({number}).",
                f"{field_title(parameter).zh}：模型没有词元“{token}”（{number}）的嵌入向量。",
            ),
            Text("Leave it out, or put a space into it.", "请删去它，或在其中加一个空格。"),
            parameter=parameter,
        )

    def _keeps_text(self, prompt: Marked, ids: Sequence[int]) -> bool:
        """Whether every control token among these ids is one that acts, and so none was typed."""
        acting = [prompt.text[begins:ends] for begins, ends in prompt.acting]
        wanted = (one for name in acting for one in self._ids_of(name))
        return all(one in wanted for one in ids if one in self.control.steering)

    def _ids_of(self, acting: str) -> list[int]:
        number = self.control.id_of(acting)
        return [number] if number is not None else [one for one in self.plain(acting) if one in self.control.steering]

    def _with_marks(self, prompt: Marked, *, apart: bool) -> str:
        """The text with transformers' marks around what is not to act, and one where no token may form.

        Where a token goes by other characters than its own, or `apart` is set, one behind each character instead.
        Marks that were typed are dropped.
        """
        signs: list[tuple[int, str]] = [(seam, _ENDS) for seam in prompt.seams]
        for begins, ends in prompt.inert:
            if apart or self.control.id_of(prompt.text[begins:ends]) is None:
                signs += [(place, _ENDS) for place in range(begins, ends + 1)]
            else:
                signs += [(begins, _BEGINS), (ends, _ENDS)]
        pieces, last = [], 0
        for place, sign in sorted(signs, key=lambda one: one[0]):
            pieces += [_unmarked(prompt.text[last:place]), sign]
            last = place
        return "".join([*pieces, _unmarked(prompt.text[last:])])

    def _put_before(self) -> list[int]:
        """Ids that the tokenizer's own post-processor sets in front of a text; the rest of them would end it."""
        alone = self.plain(_PROBE)
        whole: list[int] = self._tokenizer(_PROBE, verbose=False)["input_ids"]
        places = range(len(whole) - len(alone) + 1)
        place = next((at for at in places if whole[at : at + len(alone)] == alone), None)
        if place is not None:
            return whole[:place]
        first = self._tokenizer.bos_token_id
        return [first] if first is not None and whole[:1] == [first] else []


def _unmarked(text: str) -> str:
    return text.replace(_BEGINS, "").replace(_ENDS, "")
