// Text that is shown by itself: nothing invisible stays invisible, and nothing that turns the direction of writing gets
// through. Needs no words and no element.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const named = (sign) => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
const unhidden = (text) => (/^[\u200c\u200d\ufe0f]+$/.test(text) ? [...text].map(named).join("") : text.replace(HIDDEN, named));
// On one line, outer spaces shown.
const onOneLine = (text) => {
  const dots = (spaces) => "·".repeat(spaces.length);
  return unhidden(text.replace(/\r\n?/g, "\n")).replace(/\n/g, "↵").replace(/\t/g, "⇥")
    .replace(/^[ \u00a0\u3000]+/, dots).replace(/[ \u00a0\u3000]+$/, dots);
};
