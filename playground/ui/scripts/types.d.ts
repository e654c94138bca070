// Types that several modules share. What elements tell each other: topics.d.ts; what they tell the server: events.d.ts.
import type { Events } from "./events";

export type Language = "en" | "zh";
/** A text in both languages. */
export type Text = { en: string; zh: string };
/** What `say` takes: a text, or a string that is the same in both. */
export type Said = Text | string | null | undefined;

/** What an element's script gets. */
export interface Host<Name extends keyof Events = any> {
  name: string;
  element: HTMLElement;
  /** What Python gives, plain data; `value` is what goes to the server with an event. */
  props: Record<string, any>;
  /** Tells the server. */
  trigger<E extends keyof Events[Name]>(
    event: E & string,
    ...data: Events[Name][E] extends null ? [] : [Events[Name][E]]
  ): void;
  /** Runs whenever the server has set one of these props. */
  watch(names: string | string[], listener: () => void): void;
}
