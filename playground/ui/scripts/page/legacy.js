// For scripts that are no modules yet.
import * as cards from "../cards/shown_runs.js";
import * as address from "./address.js";
import * as board from "./board.js";
import * as bidi from "./direction.js";
import * as dom from "./dom.js";
import * as feed from "./feed.js";
import * as kept from "./kept.js";
import * as language from "./language.js";
import * as numbers from "./numbers.js";
import * as text from "./text.js";
import * as theme from "./theme.js";
import * as words from "./words.js";

window.bidi = bidi;
window.playground = {
  cards,
  ...board,
  ...dom,
  ...feed,
  ...kept,
  ...language,
  ...numbers,
  ...text,
  ...theme,
  ...words,
  command: dom.COMMAND,
  address: {
    go: address.go,
    open: address.open,
    get now() {
      return address.here();
    },
  },
  get language() {
    return language.language();
  },
};
