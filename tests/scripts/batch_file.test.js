import assert from "node:assert/strict";
import { test } from "node:test";
import { mappingOf, SAME } from "../../playground/ui/scripts/compose/column_mapping.js";
import { PIECE, readPiece } from "../../playground/ui/scripts/page/pieces.js";

test("a file goes in pieces that make it again, one after the other", async () => {
  const bytes = Uint8Array.from({ length: PIECE + 5 }, (_, at) => (at * 7) % 256);
  const file = new Blob([bytes]);
  const pieces = [];
  for (let from = 0; from < file.size; from += PIECE) pieces.push(await readPiece(file, from));
  assert.equal(pieces.length, 2);
  assert.ok(!pieces[0].includes("=")); // so that they could be joined as they are
  assert.deepEqual(Buffer.concat(pieces.map((one) => Buffer.from(one, "base64"))), Buffer.from(bytes));
  assert.equal(await readPiece(file, 2 * PIECE), "");
  assert.equal(await readPiece(new Blob([]), 0), "");
});

test("a file that cannot be read any more is an error", async () => {
  const gone = { slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) };
  await assert.rejects(readPiece(gone, 0));
});

test("fields are filled from columns, or alike in all rows", () => {
  const fields = [{ name: "product" }, { name: "tone", choices: { en: ["warm"] } }, { name: "note" }, { name: "left" }];
  const wanted = { product: "Product", tone: SAME, note: SAME, gone: "x" };
  const usual = () => "warm";
  assert.deepEqual(mappingOf(fields, wanted, {}, usual), {
    mapping: { product: "Product" },
    fixed: { tone: "warm", note: "" },
  });
  assert.deepEqual(mappingOf(fields, wanted, { tone: "dry", note: "n", product: "x" }, usual).fixed, {
    tone: "dry",
    note: "n",
  });
});
