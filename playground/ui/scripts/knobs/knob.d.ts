// What Python tells of the knobs (knobs.py): one record each, as the panel draws it.
import type { Said, Text } from "../types";

export type KnobKind =
  | "float"
  | "int"
  | "bool"
  | "choice"
  | "text"
  | "texts"
  | "ids"
  | "id_lists"
  | "bias"
  | "id_bias"
  | "order"
  | "seed";
/** What a number may be, and where its slider runs; the rules of parameters/parameter.py. */
export interface NumberRange {
  kind: string;
  neutral: any;
  low: number | null;
  high: number | null;
  step: number | null;
  scale: "linear" | "log";
  hard_low: number | null;
  hard_high: number | null;
  /** `hard_low` itself is too low. */
  above_low: boolean;
}
export interface Knob extends NumberRange {
  name: string;
  kind: KnobKind;
  group: string;
  level: "basic" | "advanced";
  label: Text;
  help: Text;
  formula: Said;
  source: string;
  /** What it may be, in words. */
  range: Text;
  default: any;
  choices: string[];
  choice_labels: Record<string, Text>;
  /** The knob without which this one has no effect. */
  needs: string | null;
  stage: string | null;
  /** What other programs call it, by program. */
  elsewhere: Record<string, string>;
  /** Of a run rather than of its text: never counted as active, and left alone by "Neutralize all". */
  setting: boolean;
  /** Its neutral value is shown as "Off". */
  off: boolean;
}
/** The orders by name, and the stages in the first of them. */
export interface Chain {
  stages: string[];
  orders: Record<string, string[]>;
}
/** The values of all knobs, by name. */
export type Values = Record<string, any>;
export interface Limits {
  /** The largest id that a token may have. */
  token_id: number;
  /** How far from 0 a bias may be. */
  bias: number;
}
export interface KnobData {
  knobs: Knob[];
  groups: { id: string; label: Text }[];
  words: Record<string, Text>;
  orders: Record<string, string[]>;
  stages: { name: string; label: Text }[];
  limits: Limits;
}
