// What the server says of itself, as the header's value and the topic `server` (model_host.py, fast_path_report.py).
import type { Text } from "./types";

export type Placement = { module: string; device: string; size: number };
export interface LoadedModel {
  id: string;
  title: string;
  revision: string | null;
  parameters: number;
  dtype: string;
  size: number;
  context: number;
  /** Whether its context has an end. */
  limited: boolean;
  has_chat_template: boolean;
  placements: Placement[];
  folder: string | null;
  notice: Text | null;
}
/** A public link. */
export type Share = { state: "opening" | "open" | "failed"; url?: string; local?: string; guarded?: boolean };
/** The fast path, and how close it is. */
export interface FastPath {
  why_not: Text | null;
  weights?: string;
  /** Of the perplexity, as measured on the model that is loaded; null where it was not. */
  change?: string | null;
  facts?: { label: Text; value: Text }[];
  notes?: Text[];
}
/** Empty until it has been asked. */
export interface Server {
  model?: LoadedModel | null;
  fast?: FastPath | null;
  /** What it does until the model is there; null from then on. */
  loading?: Text | null;
  /** Of loading, from 0 to 1. */
  progress?: number | null;
  error?: Text | null;
  share?: Share | null;
  /** Whether it asks for a password. */
  guarded?: boolean;
}
/** A model that a server can be started with. */
export type KnownModel = { id: string; title: string; note: Text; size: number; memory: number; here: boolean };
