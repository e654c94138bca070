// Trainings as Python describes them (train_data.py, train_form.py, train_tab.py).
import type { Said, Text } from "./types";

/** One setting (train_setting.py). */
export interface TrainSetting {
  name: string;
  kind: "float" | "int" | "bool" | "choice" | "text";
  group: string;
  label: Text;
  help: Text;
  source: string;
  default: any;
  default_text: Text;
  low: number | null;
  high: number | null;
  off: number | null;
  allowed: Text;
  choices: { value: string; en: string; zh: string }[];
  needs: { name: string; value: any } | null;
  /** Shown at once. */
  basic: boolean;
}
export interface TrainPreset {
  name: string;
  label: Text;
  help: Text;
  values: Record<string, any>;
}
/** A loaded model that may be trained, or why it may not. */
export interface TrainBase {
  key: string;
  title: string;
  context: number;
  chat: boolean;
  trouble: Text | null;
}
/** A record of training/mapping.py. */
export type DataMapping = { kind: "task" | "free" | "chat" | "text"; [more: string]: any };
/** A file that was read. */
export interface TrainFile {
  key: string;
  name: string;
  size: number;
  kind: "columns" | "pairs" | "chat" | "text";
  rows: number;
  columns: string[];
  first: Record<string, string>;
  refused: { number: number; reason: Text }[];
  refused_count: number;
  suggested: DataMapping | null;
}
export type Part = "" | "turns" | "prompt" | "answer";
export interface DataReport {
  rows: number;
  examples: number;
  train: number;
  validation: number;
  tokens: number;
  learned: number;
  longest: number;
  cut: number;
  cut_rows: { row: number; tokens: number; part: Part }[];
  unlearned: number;
  duplicates: number;
  empty: number;
  refused: number;
  reasons: { row: number; reason: Text }[];
  languages: Record<string, number>;
  shared: number;
  notice: Text | null;
}
/** A row token by token; `more` is how many of its tokens are left out. */
export interface FirstRow {
  row: number;
  count: number;
  learned: number;
  cut: number;
  part: Part;
  tokens: [text: string, learned: boolean][];
  more: number;
}
export interface TrainState {
  phase: "new" | "measuring" | "waiting" | "preparing" | "running" | "paused" | "stopped" | "done" | "failed";
  alive: boolean;
  step: number;
  steps: number;
  epoch: number;
  seconds_left: number | null;
  memory: number | null;
  tokens_per_second: number | null;
  doing: Text | null;
  trouble: Text | null;
  notice: Text | null;
  best_step: number | null;
  best_loss: number | null;
  base_loss: number | null;
  starts: number;
  ahead: number;
}
/** One line of the list. */
export interface TrainingView {
  id: string;
  name: string;
  note: string;
  created: number;
  base: string;
  files: string[];
  changed: { name: string; label: Text; value: Text }[];
  state: TrainState;
}
/** What was written at one evaluation. */
export interface Sample {
  step: number;
  texts: { prompt: string; wanted: string; base: string; learned: string }[];
}
export interface Followed {
  at: number;
  id: string;
  gone?: Said;
  view: TrainingView;
  plan: { settings: Record<string, any>; mapping: DataMapping } | null;
  estimate: Record<string, any> | null;
  since: { metrics: number; samples: number };
  metrics: Record<string, number | null>[];
  /** Whether there are more of them already. */
  more: boolean;
  samples: Sample[];
  learned: boolean;
  folder: string | null;
  log: string;
}
