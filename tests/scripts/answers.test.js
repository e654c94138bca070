import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers } from "../../playground/ui/scripts/talk/answers.js";
import { isSameWay, leftOut, share } from "../../playground/ui/scripts/talk/context_window.js";
import { Conversation, lastOf, ROOT } from "../../playground/ui/scripts/talk/conversation.js";

const begun = () => {
  const talk = new Conversation();
  const answers = new Answers(talk);
  /** What the server tells of a run, with or without the name of what was asked. */
  const take = (run, text, more = {}) => answers.take({ run, rows: [{ text }], target: null, parted: null, ...more });
  const said = (text, draft) => ({ under: lastOf(talk.way()), text, prefill: "", draft });
  return { talk, answers, take, said };
};
const textsOf = (talk) => talk.way().map((turn) => turn.text);

test("a message and its answer begin together, and what stood in the fields goes", () => {
  const { talk, answers, take, said } = begun();
  Object.assign(talk.draft, { message: "One?", prefill: "Well" });
  const name = answers.ask(said("One?", true));
  assert.deepEqual(textsOf(talk), []);
  assert.equal(take("run", "W", { target: { talk: name } }).fresh, true);
  assert.equal(take("run", "Well then").fresh, false);
  assert.deepEqual(textsOf(talk), ["One?", "Well then"]);
  assert.deepEqual(talk.draft, { system: "", message: "", prefill: "" });
  assert.equal(answers.writing, true);
  answers.settle("length");
  assert.equal(answers.writing, false);
  assert.equal(talk.way()[1].finish, "length");
});

test("another answer stands beside the one before, also one from a token of it", () => {
  const { talk, answers, take, said } = begun();
  take("first", "One.", { target: { talk: answers.ask(said("One?", false)) } });
  const { id } = talk.way()[0];
  take("second", "Two.", { target: { talk: answers.ask({ under: id, text: null, prefill: "" }) } });
  take("third", "Three.", { parted: { parent: "second:0" } });
  assert.equal(talk.behind(id).length, 3);
  assert.deepEqual(textsOf(talk), ["One?", "Three."]);
  take("first", "One, still."); // a run that was left goes on writing where it belongs
  assert.deepEqual(
    talk.behind(id).map((turn) => turn.text),
    ["One, still.", "Two.", "Three."],
  );
});

test("a run that nothing asked for by name is what stands in the fields", () => {
  const { talk, take } = begun();
  Object.assign(talk.draft, { message: "One?", prefill: "Well:" });
  const { turn } = take("run", "Well: yes", { target: { talk: null } });
  assert.equal(turn.prefill, "Well:");
  assert.deepEqual(textsOf(talk), ["One?", "Well: yes"]);
});

test("an edit that was refused is not lost, unless something else is typed by then", () => {
  const { talk, answers, take, said } = begun();
  take("run", "One.", { target: { talk: answers.ask(said("One?", false)) } });
  answers.settle("end");
  answers.ask({ under: ROOT, text: "Edited?", prefill: "" });
  answers.settle("stopped");
  assert.equal(talk.draft.message, "Edited?");
  assert.deepEqual(textsOf(talk), []);
  answers.ask({ under: ROOT, text: "Another edit?", prefill: "" });
  answers.settle("stopped");
  assert.equal(talk.draft.message, "Edited?");
});

test("turns that no longer fit are the first ones, and never more than there are", () => {
  assert.equal(leftOut({}, 4, 0), 0);
  assert.equal(leftOut({ left_out: 2, looked: 3 }, 4, 3), 2);
  assert.equal(leftOut({ left_out: 9, looked: 3 }, 4, 0), 4);
});

test("a count of other turns says nothing about these", () => {
  assert.equal(leftOut({ left_out: 2, looked: 3 }, 4, 4), 0);
  const way = [{ id: "a" }, { id: "b" }];
  assert.ok(isSameWay([], way) && isSameWay(way, [...way, { id: "c" }]));
  assert.ok(!isSameWay(way, []) && !isSameWay(way, [{ id: "a" }, { id: "c" }]));
});

test("the window is full at most", () => {
  assert.equal(share({}), 0);
  assert.equal(share({ used: 15, context: 60 }), 25);
  assert.equal(share({ used: 90, context: 60 }), 100);
});
