import assert from "node:assert/strict";
import { test } from "node:test";
import { onOneLine, unhidden } from "../../playground/ui/scripts/page/visible.js";

test("what is invisible is shown by its number, but tabs, line ends and joiners inside a text stay", () => {
  assert.equal(unhidden("a\u200bb\u0007\u202ec\ufeff"), "a⟨U+200B⟩b⟨U+0007⟩⟨U+202E⟩c⟨U+FEFF⟩");
  assert.equal(unhidden("a\tb\nc"), "a\tb\nc");
  assert.equal(unhidden("👩\u200d💻"), "👩\u200d💻");
  assert.equal(unhidden("\u200d\ufe0f"), "⟨U+200D⟩⟨U+FE0F⟩");
});

test("every control sign but tab and line end is hidden", () => {
  const signs = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code));
  const shown = signs.filter((sign) => unhidden(sign) === sign);
  assert.equal(shown.join(""), signs.filter((sign) => /[\t\n -~\xa0-\xac\xae-\xff]/.test(sign)).join(""));
});

test("on one line, spaces at both ends are counted and line ends and tabs are signs", () => {
  assert.equal(onOneLine("  a b\u00a0"), "··a b·");
  assert.equal(onOneLine("a\r\nb\tc\rd"), "a↵b⇥c↵d");
});
