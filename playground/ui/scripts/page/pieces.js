// A file in pieces that go with one event each, as base64. Pure: knows no page and no server.

export const PIECE = 393_216; // bytes; a multiple of 3, so that base64 needs no filling
const STEP = 32_768; // bytes that are turned into a string at once: browsers take only so many arguments

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
const base64 = (bytes) => {
  let text = "";
  for (let at = 0; at < bytes.length; at += STEP) text += String.fromCharCode(...bytes.subarray(at, at + STEP));
  return btoa(text);
};
/**
 * The piece that begins there; "" behind the end.
 * @param {Blob} file
 * @param {number} from
 * @returns {Promise<string>}
 * @throws {Error} where the file cannot be read any more
 */
export const readPiece = async (file, from) =>
  base64(new Uint8Array(await file.slice(from, from + PIECE).arrayBuffer()));
