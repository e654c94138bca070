// Widths of the window at which the page stands otherwise. The style sheets name the same numbers;
// tests/scripts/screen.test.js holds both to one another.

/** In pixels: from here on Play stands in panes beside each other. */
export const WIDE = 1100;
/** In pixels: up to here all stands in one column, and the knobs in a drawer. */
export const ONE_COLUMN = 900;
/** In pixels: up to here what is looked into comes as a sheet from below. */
export const NARROW = 600;

export const isWide = () => window.matchMedia(`(min-width: ${WIDE}px)`).matches;
export const isOneColumn = () => window.matchMedia(`(max-width: ${ONE_COLUMN}px)`).matches;
export const isNarrow = () => window.matchMedia(`(max-width: ${NARROW}px)`).matches;
