import assert from "node:assert/strict";
import { test } from "node:test";
import { isPart } from "../../playground/ui/scripts/tokens/token_text.js";

test("bytes and what has no text yet are parts of a character; control tokens and texts are none", () => {
  for (const text of ["", "⟨E4 BD⟩", "⟨A0⟩", " ⟨E8⟩", "<0xE4>"]) assert.ok(isPart({ id: 7, text }), text);
  for (const text of ["你", " a", "⟨U+200B⟩", "<0xE4> is a byte", "\n"]) assert.ok(!isPart({ id: 7, text }), text);
  assert.ok(!isPart({ id: 2, text: "", special: true }));
});
