// Data modules that Python writes (page_files.py): they are no files here.
declare module "playground/data/words.js" {
  const words: Record<string, import("./types").Text>;
  export default words;
}
declare module "playground/data/token_words.js" {
  type Words = Record<string, import("./types").Text>;
  const words: { tokens: Words; waterfall: Words };
  export default words;
}
// The worked examples of the tasks, one module each: loaded with the first of a task that is to be shown.
declare module "playground/data/examples/*.js" {
  export type Example = {
    id: string;
    rows: import("./cards/answer").Row[];
    request: import("./cards/runs").Asked;
    example: { model: string; seed: number };
  };
  const examples: Record<import("./types").Language, Example | null>;
  export default examples;
}
declare module "playground/data/tasks.js" {
  const tasks: import("./tasks").Task[];
  export default tasks;
}
/** Texts worth trying, by the kind of prompt. */
declare module "playground/data/tries.js" {
  const tries: Record<"complete" | "chat" | "talk", import("./types").Text[]>;
  export default tries;
}
/** Rules that stand in both languages; script_rules of page_data.py says where in Python each has its place. */
declare module "playground/data/rules.js" {
  const rules: {
    /** A regular expression, for the flags "gu": a place in a text that is filled in, with its name. */
    place: string;
    /** A text with more variables is sent as it stands. */
    most_variables: number;
    /** Bytes of a visitor's own task. */
    most_task_bytes: number;
    /** Characters of its title. */
    most_task_title: number;
  };
  export default rules;
}
declare module "playground/data/knobs.js" {
  const knobs: import("./knobs/knob").KnobData;
  export default knobs;
}
/** The settings of a training, their groups in order, and the presets. */
declare module "playground/data/train.js" {
  const records: {
    settings: import("./training").TrainSetting[];
    groups: { name: string; label: import("./types").Text }[];
    presets: import("./training").TrainPreset[];
  };
  export default records;
}
