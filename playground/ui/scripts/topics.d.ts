// What elements of the page tell each other (page/board.js), by topic. Those that are states reach late listeners too.
import type { Server } from "./server";
import type { Language, Said, Text } from "./types";

/** Knobs by name. */
export type Knobs = Record<string, any>;
export type Kind = "task" | "complete" | "chat" | "talk";
export type Place = { tab: string; kind?: Kind; task?: string };
export type Run = {
  running: boolean;
  status: string;
  notice?: Said;
  finish?: string;
  seed?: number;
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
  talk: Record<string, any>;
  window: Record<string, any>;
  user_tasks: any[];
  composed: { kind: Kind; task: any; own: string; fields: number };
  path: "exact" | "fast";
  /** The knobs of what was picked are asked for and have not come. */
  wishing: boolean;
  preset: string;
  connection: Connection;
  /** Wishes and news. */
  language: Language;
  place: Place;
  /** Turns a knob, as if by hand. */
  knob: { name: string; value: unknown };
  say: {};
  generate: {};
  look: { focus: boolean };
  drawer: boolean;
  dock: "inside";
  complaint: Complaint | null;
  word: { run: string; row: number; at: number };
  counting: boolean;
  /** A sheet from below has opened; others close. */
  sheet: HTMLElement;
  restore: { request: any; task: string | null; knobs: Knobs; preset: string };
  texts: { run: string; rows: Map<number, any>; take: (row: number) => HTMLElement };
  places: null;
  looked: { run: string | undefined; row: number } | null;
  write: { task?: string; typed?: Record<string, any> };
  refused: string;
  /** The server is to be asked for nothing, so that a stream is opened. */
  wake: null;
}
