import assert from "node:assert/strict";
import { test } from "node:test";
import { colourOf, legendOf, MODES } from "../../playground/ui/scripts/tokens/colour_scale.js";
import { areJoined, breaksLine, wayOf } from "../../playground/ui/scripts/tokens/line_rules.js";
import { classesOf, differs, labelParts } from "../../playground/ui/scripts/tokens/token_look.js";
import {
  bits,
  count,
  fixed,
  modelChance,
  percent,
  surprise,
} from "../../playground/ui/scripts/tokens/token_numbers.js";
import { alone, inText, spoken } from "../../playground/ui/scripts/tokens/token_text.js";

const t = (key, values = {}) => [key, ...Object.values(values)].join(" ");
const token = (more = {}) => ({ id: 1, text: "a", logprob: -Math.LN2, p: 0.5, rank: 1, entropy: 2, top: [], ...more });
const look = (more = {}) => ({ mode: "probability", replay: null, picked: null, ...more });
const replay = { run: "one", first: 2, would: { 2: { id: 9, text: " b" }, 4: { id: 8, text: "" } } };

test("a share has fewer digits the larger it is, and is never rounded to nothing or all", () => {
  const shares = [0, 0.00001, 0.0012, 0.0123, 0.5, 0.9995, 1, null, undefined, Number.NaN];
  const written = ["0 %", "<0.01 %", "0.12 %", "1.2 %", "50 %", ">99.9 %", "100 %", "–", "–", "–"];
  assert.deepEqual(
    shares.map((share) => percent(share)),
    written.map((one) => one.replace(" ", "\u00a0")),
  );
});

test("what is not known is a dash", () => {
  assert.deepEqual([count(null), fixed(undefined, 1), bits(null, t)], ["–", "–", "–"]);
  assert.deepEqual([count(8123), fixed(1.25, 1), bits(2, t)], ["8,123", "1.3", "bits 2.00"]);
  assert.deepEqual([modelChance(token({ logprob: null })), surprise(token({ logprob: null }))], [null, null]);
  assert.equal(surprise(token()), 1);
});

test("a scale goes from the plain end to the strong one and stays there", () => {
  const at = (mode, more) => colourOf(mode, token(more));
  assert.deepEqual(
    [0, -Math.LN2, -50].map((logprob) => at("probability", { logprob })),
    ["tk-0", "tk-8", "tk-15"],
  );
  assert.deepEqual(
    [1, 10, 1000, 50_000].map((rank) => at("rank", { rank })),
    ["tk-0", "tk-5", "tk-15", "tk-15"],
  );
  assert.deepEqual(
    [0, 4, 8, 20].map((entropy) => at("entropy", { entropy })),
    ["tk-0", "tk-8", "tk-15", "tk-15"],
  );
  assert.deepEqual(
    [0, -6, -12].map((n) => at("surprise", { logprob: n * Math.LN2 })),
    ["tk-0", "tk-8", "tk-15"],
  );
  assert.equal(at("rank", { rank: null }), "tk-none");
});

test("a legend begins plain, ends strong, and says where it goes on", () => {
  for (const mode of MODES) {
    const names = legendOf(mode).map(({ name }) => name);
    assert.deepEqual([names[0], names.at(-1)], ["tk-0", "tk-15"], mode);
  }
  assert.equal(legendOf("rank").at(-1).figure, "1,000+");
  assert.equal(legendOf("probability").at(-1).figure, "0\u00a0%");
});

test("a token's classes tell what it is, and what a replay made of it", () => {
  assert.equal(classesOf(token({ logprob: 0 }), 0, look()), "tk-token tk-0");
  assert.equal(
    classesOf(token({ text: "", special: true, context: true }), 0, look({ picked: 0 })),
    "tk-token tk-8 tk-special tk-context tk-picked",
  );
  assert.equal(classesOf(token({ text: "" }), 0, look()), "tk-token tk-8 tk-blank");
  const names = [1, 2, 3, 4].map((at) => classesOf(token(), at, look({ replay })));
  assert.deepEqual(names, ["tk-token", "tk-token tk-first", "tk-token tk-after", "tk-token tk-differs tk-after"]);
  assert.deepEqual([differs(replay, 2), differs(replay, 3), differs(null, 2)], [true, false, false]);
});

test("a token's label has what is known of it, and what it is coloured by", () => {
  assert.deepEqual(labelParts(token(), 0, look(), t), ["token 1", "a", "label_probability 50\u00a0%", "label_rank 1"]);
  assert.deepEqual(labelParts(token({ logprob: null, rank: null }), 0, look({ mode: "surprise" }), t), [
    "token 1",
    "a",
  ]);
  assert.equal(labelParts(token(), 0, look({ mode: "entropy" }), t).at(-1), "label_entropy 2.0");
  assert.equal(labelParts(token(), 2, look({ replay }), t).at(-1), "label_would b");
});

test("a token's text is visible in the running text, by itself and for a voice", () => {
  const forms = (text, special = false) => [inText, alone, spoken].map((form) => form({ id: 1, text, special }, t));
  assert.deepEqual(forms(" a"), [" a", "·a", "a"]);
  assert.deepEqual(forms("  "), ["··", "··", "space"]);
  assert.deepEqual(forms("\r\n"), ["↵\n", "↵", "line_break"]);
  assert.deepEqual(forms("\t"), ["⇥\t", "⇥", "tab"]);
  assert.deepEqual(forms(""), ["◦", "◦", "no_text"]);
  assert.deepEqual(forms("", true), ["⟨∎⟩", "end", "special end"]);
  assert.deepEqual(forms("\u202e"), Array(3).fill("⟨U+202E⟩"));
});

test("in a line of both directions letters and numbers are held, other signs go with what is around them", () => {
  assert.deepEqual(["abc", "قه", " 20", "(", "،", " "].map(wayOf), ["ltr", "rtl", "ltr", "", "", ""]);
});

test("parts of an Arabic word are joined where their letters are", () => {
  assert.equal(areJoined("قه", "وة"), true);
  assert.equal(areJoined("قه\u064f", "وة"), true); // a mark over the letter
  assert.equal(areJoined("قهو", "ة"), false); // waw is joined to no next letter
  assert.equal(areJoined("قه", " وة"), false);
  assert.equal(areJoined("עב", "רית"), false);
  assert.equal(areJoined("ab", "قه"), false);
});

test("a line ends where the text of a token ends with a break", () => {
  assert.deepEqual(
    ["a\n", "\n\n", "\na", ""].map((text) => breaksLine({ text })),
    [true, true, false, false],
  );
});
