// Tasks as Python describes them (compose_form.task_record), and what is filled in on Play (compose_form reads it).
import type { Language, Text } from "./types";
import type { Kind, Knobs } from "./topics";

/** Words by field, or by variable. */
export type Words = Record<string, string>;

export interface TaskField {
  name: string;
  type: "text" | "long_text" | "choice" | "number" | "list";
  label: Text;
  default: Text;
  placeholder: Text | null;
  required: boolean;
  max_length: number;
  /** As many in each language. */
  choices: Record<Language, string[]> | null;
}
/** What `measure` found with one model in one language. */
export interface Measured {
  model: string;
  title: string;
  language: Language;
  texts: number;
  form: number | null;
  loops: number;
  /** Texts that somebody has read, how many of them are good, and by which rule. */
  read: number;
  kept: number;
  rule: string;
}
export interface Task {
  id: string;
  group: Text;
  title: Text;
  description: Text;
  fields: TaskField[];
  measured: Measured[];
  /** Of a visitor's own, and only of these. */
  yaml?: string;
  /** Of a visitor's own: as which kind of prompt it may be edited; null where only its YAML shows all of it. */
  as_prompt?: "complete" | "chat" | null;
}
/** A visitor's own task as this browser keeps it, under a key of its own. */
export interface OwnTask {
  key: string;
  yaml: string;
  record: Task;
}
/** The knobs as they were left somewhere, and the preset they come from. */
export interface LeftKnobs {
  knobs: Knobs;
  preset: string;
}
export interface Form {
  language: Language;
  kind: Kind;
  task: string;
  /** The YAML of the task where it is a visitor's own, else "". */
  own: string;
  fields: Words;
  /** The fields of other tasks that were filled in, by their ids. */
  drafts: Record<string, Words>;
  prompt: string;
  system: string;
  message: string;
  prefill: string;
  variables: Words;
  /** Whether places are filled in. */
  fill: boolean;
  /** Whether control tokens that were typed act. */
  special_tokens: boolean;
  /** The id of the model that is loaded. */
  ready?: string;
  /** Something was chosen, so its own knobs are wanted. */
  picked?: boolean;
  /** Which wish for knobs this is. */
  asked?: number;
  /** How often the count of its tokens was asked for. */
  looked?: number;
  /** Knobs that come back instead. */
  restored?: LeftKnobs | null;
  /** The next turn of the conversation, as its element tells it. */
  talk?: Record<string, any>;
}
