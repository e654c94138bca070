// A line above the groups: which of them have active knobs and how many, each a way to where it stands. Gone where nothing
// is active.
import { find, make } from "../page/dom.js";
import { hostOf } from "../page/element.js";
import { say } from "../page/language.js";
import { activeGroups, goToGroup } from "./groups.js";
import { word } from "./registry.js";

const { element } = hostOf("knobs");
const line = find(element, ".kn-places");
let drawn = ""; // what stands there, so that a focused link stays while a knob is turned

/** @param {() => void} leave shows all groups again where a search or a filter has hidden some */
export const paintPlaces = (leave) => {
  const groups = activeGroups();
  const texts = groups.map(({ group, active }) => word("place", { label: say(group.label), n: active }));
  if (drawn === texts.join()) return;
  drawn = texts.join();
  line.hidden = !groups.length;
  line.setAttribute("aria-label", word("active_in"));
  /** @param {typeof groups[number]["group"]} group */
  const press = (group) => () => {
    leave();
    goToGroup(group);
  };
  line.replaceChildren(
    ...groups.map(({ group }, at) =>
      make("button", { class: "kn-link", type: "button", onclick: press(group) }, texts[at]),
    ),
  );
};
