// What elements of the page tell each other (page/board.js), by topic. Those that are states reach late listeners too.
import type { Counted } from "./talk/context_window.js";
import type { Draft, Heard } from "./talk/conversation.js";
import type { Form, LeftKnobs, OwnTask, Task } from "./tasks";
import type { Server } from "./server";
import type { Language, Said, Text } from "./types";

/** Knobs by name. */
export type Knobs = Record<string, any>;
export type Kind = "task" | "complete" | "chat" | "talk";
export type Place = { tab: string; kind?: Kind; task?: string };
export type Run = {
  running: boolean;
  status: Said;
  notice?: Said;
  finish?: string;
  seed?: number | null;
  /** It begins now, and has not been answered. */
  asked?: boolean;
  [more: string]: unknown;
};
export type Complaint = { parameter: string | null; text: Said; placed?: boolean; [more: string]: unknown };
export type Connection = { state: "there" | "gone" | "login" | "other"; restarted: boolean; again: boolean };

export interface Topics {
  /** States. */
  server: Server;
  run: Run;
  theme: "light" | "dark";
  knobs: Knobs;
  kind: Kind;
  /** What a conversation would send. */
  talk: Draft & { turns: Heard[] };
  /** How much of the model's window is taken, and by what. */
  window: Counted & Record<string, any>;
  user_tasks: OwnTask[];
  /** `fields` is how many variables are filled in. */
  composed: { kind: Kind; task: Task; own: string; fields: number };
  path: "exact" | "fast";
  /** The knobs of what was picked are asked for and have not come. */
  wishing: boolean;
  preset: string;
  /** How a preset that is not the task's own is called. */
  preset_title: Said;
  connection: Connection;
  /** Wishes and news. */
  language: Language;
  place: Place;
  /** The server has something new to say of itself. */
  news: {};
  /** Sets the knobs as a preset has them. */
  preset_wanted: { id: string };
  /** Somebody presses what brings its own knobs along. */
  replacing: null;
  /** Which knobs that has changed: one sentence, all of them one a line, and what puts them back. */
  replaced: { text: string; all: string; undo: () => void } | null;
  /** Knobs as they were left are to come back. */
  bring_back: LeftKnobs;
  /** Turns a knob, as if by hand. */
  knob: { name: string; value: unknown };
  say: {};
  generate: {};
  look: { focus: boolean };
  drawer: boolean;
  dock: "inside";
  complaint: Complaint | null;
  /** A word at a place in what a run wrote, in characters, or one of its tokens. */
  word: { run: string; row: number; at?: number; position?: number };
  /** The prompt is counted anew, since this has changed; `typed` stands for all that was typed and chosen for it. */
  counting: { turned: "text" | "knobs"; looked: number; typed: string };
  /** A sheet from below has opened; others close. */
  sheet: HTMLElement;
  restore: { request: any; task?: string | null; knobs: Knobs; preset: string };
  texts: {
    run: string | undefined;
    rows: Map<number, import("./tokens/token_rows.js").Row>;
    take: (row: number) => HTMLElement;
  };
  places: null;
  looked: { run: string | undefined; row: number } | null;
  /** The form is to show this: a task by its id, or a prompt. */
  write: { task?: string; typed?: Partial<Form> };
  refused: string;
  /** The server is to be asked for nothing, so that a stream is opened. */
  wake: null;
}
