// What a run, its cards and their versions are.
import type { Kind, Knobs } from "../topics";
import type { Said } from "../types";
import type { Row } from "./answer";

/** Where a version parts from the one it grows from. */
export interface Parting {
  parent: string | null;
  kind: "first" | "branch" | "continue" | "regenerate" | "edit";
  /** The parent's own tokens, and the characters, before the parting. */
  position: number | null;
  offset: number | null;
  /** The tokens there. */
  was: string | null;
  became: string | null;
}
export interface Version extends Row, Parting {
  id: string;
  /** Which row of which run of the server it is; a hand wrote what is of none. */
  run: string | null;
  row: number;
  /** The knobs that had been turned since its run began. */
  turned?: Knobs | null;
}
export interface Card {
  /** Oldest first. */
  versions: Version[];
  /** The id of the one that is shown. */
  at: string;
  /** The ids of those that were taken away. */
  gone: string[];
}
/** What a run was asked for (card_request of compose_form.py). */
export interface Asked {
  prompt: string;
  task?: string | null;
  fields?: Record<string, unknown>;
  [more: string]: unknown;
}
/** What a run is remembered by beside its request. */
export interface About {
  /** When it began, in milliseconds. */
  at: number;
  model: string;
  knobs: Knobs | null;
  preset: string;
  /** Its name, where it is not the task's own. */
  preset_title?: Said;
  kind?: Kind;
  task?: string;
  title?: Said;
}
export interface Run {
  id: string;
  cards: Card[];
  request: Asked;
  /** Of a worked example: what wrote it. */
  example?: { model: string; seed: number } | null;
  about?: About;
  /** The candidates that say nearly the same are to be seen. */
  alike?: "shown";
}
/** What the server tells of a run that grows. */
export interface News {
  number: number;
  phase: "waiting" | "running" | "done" | "refused";
  run: string;
  rows: Row[];
  target: { run: string; card: number } | null;
  parted: Partial<Parting> | null;
  status: Said;
  notice: Said;
  error: { parameter: string | null; text: Said } | null;
  request: Asked;
}
/** Whose tokens are shown. */
export type Look = { run: string | null | undefined; row: number; hand?: boolean };
/** What the form holds now (topic `composed`). */
export interface Form {
  kind?: Kind;
  task?: { id: string; title: Said } | null;
  /** The text of a visitor's own task, which nothing else knows. */
  own?: string;
}
