// Data modules that Python writes (page_files.py): they are no files here.
declare module "playground/data/words.js" {
  const words: Record<string, import("./types").Text>;
  export default words;
}
declare module "playground/data/knobs.js" {
  const knobs: import("./knobs/knob").KnobData;
  export default knobs;
}
