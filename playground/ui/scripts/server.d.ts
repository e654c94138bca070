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
  /** The folder of the adapter that was merged into its weights. */
  adapter: string | null;
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
/** Bytes that a model takes or will take (estimate_data of model_data.py). */
export interface Estimate {
  weights: number;
  packed: number;
  kv_cache: number;
  beside: number;
  /** What is held once it is loaded, before the first token. */
  held: number;
  total: number;
  /** What must be free for it. */
  need: number;
  /** Tokens. */
  context: number;
  download: number;
  loaded_now: number;
  free: number;
  fits: boolean;
  basis: "files" | "hub" | "recipe" | "catalogue" | "engine" | "unknown";
}
/** `done` and `total` in bytes, `rate` in bytes per second, `left` in seconds. */
export type Download = { done: number; total: number; rate: number | null; left: number | null };
/** A model that is loaded. */
export interface Entry {
  key: string;
  id: string;
  title: string;
  revision: string;
  dtype: string;
  context: number;
  size: number;
  current: boolean;
  measured: number;
  grown: number | null;
  estimate: Estimate | null;
  /** Runs that hold it. */
  busy: number;
  /** Seconds since the last of them ended. */
  idle: number;
  /** What was typed to load it; only the owner is told. */
  name?: string;
}
/** The knobs that the model's authors recommend, with the labels of these and of usual ones that they leave out. */
export interface OwnSettings {
  values: Record<string, any>;
  lacks: string[];
  labels: Record<string, Text>;
  /** What they name that is no knob here. */
  beyond: { name: string; reason: Text }[];
}
/** What the server does with its models (model_data.py). */
export interface Pool {
  phase: "idle" | "estimating" | "downloading" | "waiting" | "unloading" | "loading" | "failed";
  busy: boolean;
  /** Runs begin with the new model already; what is left is only looked at. */
  loaded: boolean;
  name: string | null;
  stage: Text | null;
  /** Of the stage, from 0 to 1. */
  share: number | null;
  download: Download | null;
  waits_for: number;
  reason: Text | null;
  estimate: Estimate | null;
  seconds: number;
  cancelling: boolean;
  entries: Entry[];
  events: { at: number; kind: string; text: Text }[];
  own: OwnSettings | null;
}
/** Empty until it has been asked. */
export interface Server {
  model?: LoadedModel | null;
  /** What holds the model where that is no memory of this machine, with its version. */
  engine?: string | null;
  fast?: FastPath | null;
  /** What it does until the model is there; null from then on. */
  loading?: Text | null;
  /** Of loading, from 0 to 1. */
  progress?: number | null;
  error?: Text | null;
  share?: Share | null;
  /** Whether this visitor is the owner. */
  owner?: boolean;
  pool?: Pool;
  /** Whether it asks for a password. */
  guarded?: boolean;
}
/** An adapter that a training on this machine has learned, named as the training is. */
export type KnownAdapter = { folder: string; title: string };
/** A model that a server can be started with. */
export interface KnownModel {
  id: string;
  title: string;
  note: Text;
  licence: string | null;
  /** Bytes of its weights, and about how many it takes to write with it. */
  size: number | null;
  memory: number | null;
  here: boolean;
}
