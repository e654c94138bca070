import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, lastOf, ROOT } from "../../playground/ui/scripts/talk/conversation.js";

/** Two turns: what was said and its answer. */
const spoken = () => {
  const talk = new Conversation();
  const asked = talk.add(ROOT, "user", { text: "One?" });
  const answered = talk.add(asked.id, "assistant", { text: "a thought, One.", answer: "One.", thought: "a thought" });
  return { talk, asked, answered };
};
const textsOf = (talk) => talk.way().map((turn) => turn.text);

test("the way goes through the newest turns", () => {
  const { talk, asked } = spoken();
  const other = talk.add(asked.id, "assistant", { text: "Another one." });
  assert.deepEqual(textsOf(talk), ["One?", "Another one."]);
  assert.deepEqual(talk.beside(other).length, 2);
  assert.equal(lastOf(talk.way()), other.id);
  assert.equal(lastOf([]), ROOT);
});

test("another turn beside one can be shown, with what followed it, and nothing is lost", () => {
  const { talk, asked, answered } = spoken();
  talk.add(answered.id, "user", { text: "Two?" });
  const other = talk.add(ROOT, "user", { text: "Else?" });
  assert.deepEqual(textsOf(talk), ["Else?"]);
  talk.walk(other, -1);
  assert.deepEqual(textsOf(talk), ["One?", "a thought, One.", "Two?"]);
  talk.walk(asked, -1); // there is none
  assert.deepEqual(textsOf(talk).length, 3);
});

test("a way that was ended goes on where it is told to", () => {
  const { talk, asked } = spoken();
  talk.endAt(asked.id);
  assert.deepEqual(textsOf(talk), ["One?"]);
  talk.goOnBehind(asked.id);
  assert.equal(textsOf(talk).length, 2);
  talk.endAt(ROOT);
  assert.deepEqual(textsOf(talk), []);
});

test("the model hears what was said up to a turn, and never a thought", () => {
  const { talk, answered } = spoken();
  talk.add(answered.id, "user", { text: "Two?" });
  assert.deepEqual(talk.heardBefore(answered.id), [
    ["user", "One?"],
    ["assistant", "One."],
  ]);
  assert.deepEqual(talk.heardBefore(ROOT), []);
});

test("what was kept comes back; a text that was being written was stopped", () => {
  const { talk } = spoken();
  talk.draft.message = "Two?";
  const found = new Conversation();
  found.restore(JSON.parse(JSON.stringify(talk.kept())));
  assert.deepEqual(textsOf(found), textsOf(talk));
  assert.equal(found.draft.message, "Two?");
  assert.equal(found.way()[1].finish, "stopped");
  assert.equal(found.way()[0].finish, undefined);
});

test("what is not a whole conversation is not taken", () => {
  const turn = (id, parent, role = "user") => ({ id, parent, role, text: "" });
  const broken = [
    null,
    {},
    { turns: [{ id: "a" }], shown: {}, draft: {} },
    { turns: [turn("a", "b")], shown: {}, draft: {} },
    { turns: [turn("a", ROOT), turn("a", ROOT)], shown: {}, draft: {} },
    { turns: [turn("a", ROOT), turn("b", "a")], shown: {}, draft: {} }, // two messages, one behind the other
    { turns: [turn("a", ROOT, "assistant")], shown: {}, draft: {} },
    { turns: [turn("a", ROOT)], draft: {} },
  ];
  for (const kept of broken) {
    const talk = new Conversation();
    talk.restore(kept);
    assert.deepEqual(talk.turns, []);
  }
  const talk = new Conversation();
  talk.restore({ turns: [turn("a", ROOT)], shown: {}, draft: { message: 5, system: "brief", other: "x" } });
  assert.deepEqual(talk.draft, { system: "brief", message: "", prefill: "" });
});
