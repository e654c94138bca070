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
