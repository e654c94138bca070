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
