// Whether a card is wide enough for the names of its buttons beside their pictures, as classes for cards.css. (Gradio takes
// container queries out of a style sheet.) Knows no button.

const NAMES = 370; // pixels inside a card: room for the names
const NAMES_AND_WALK = 490; // and for the walk through versions beside them

const seen = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    target.classList.toggle("roomy", contentRect.width >= NAMES);
    target.classList.toggle("roomier", contentRect.width >= NAMES_AND_WALK);
  }
});
/** @param {HTMLElement[]} cards those on the page, in the place of all before */
export const watchRoom = (cards) => {
  seen.disconnect();
  for (const card of cards) seen.observe(card);
};
