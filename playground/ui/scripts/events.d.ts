// What elements tell the server, written from playground/ui/events.py by `python -m playground.ui.events`.
export interface Events {
  act: {
    generate: null;
    stop: null;
    look: null;
    path: null;
  };
  batch: {
    about: { task: string; own: string; language: string; key: string; at: number; columns?: boolean | null };
    follow: { key: string; first: number; number: number; seen?: string | null };
    go: { key: string; first: number; task?: string | null; own?: string | null; language?: string | null; n?: number | string | null; seed?: number | string | null; knobs?: boolean | null; mapping?: Record<string, any> | null; fixed?: Record<string, any> | null; number: number; anew?: boolean | null; resume?: boolean | null; retry?: boolean | null };
    halt: { key: string };
    look: { key: string; first: number; task: string; own: string; language: string; n: number | string; seed: number | string; knobs: boolean; mapping: Record<string, any>; fixed: Record<string, any> };
    opened: { key: string };
    pause: { key: string };
    piece: { at: number; name: string; size: number; from: number; data: string; sheet?: string | null; delimiter?: string | null; encoding?: string | null };
    save: { key: string; kind: string; language: string; at: number };
  };
  cards: {
    again: { action: string; text: string; request: Record<string, any>; target: Record<string, any>; parted: Record<string, any> };
    look: { run?: string | null; row: number; sent?: number | null; hand?: boolean | null };
  };
  compose: {
    look: null;
    pick: null;
  };
  curve: {
    pick: { run?: string | null; row: number; position: number };
  };
  diagnosis: {
  };
  dock_head: {
  };
  drawer: {
  };
  expected: {
  };
  header: {
    ask: null;
    wake: null;
  };
  keys: {
  };
  knobs: {
    input: { name?: string | null };
    preset: { id: string };
  };
  model: {
    opened: null;
    estimate: { at: number; name: string; weights: string; max_memory: string; context: string; chat_template?: string | null; trust_remote_code: boolean; adapter: string; adapter_share: number };
    switch: { at: number; name: string; weights: string; max_memory: string; context: string; chat_template?: string | null; trust_remote_code: boolean; adapter: string; adapter_share: number; running: string };
    use: { at: number; key: string; running: string };
    unload: { at: number; key: string };
    cancel: { at: number };
    halt: { at: number };
    template: { at: number };
  };
  read: {
    read: null;
    detect: null;
  };
  seen: {
    read: null;
  };
  talk: {
    speak: { talk: string; system: string; prefill: string; left_out: number; turns: any[]; message: string; goes_on?: boolean | null; again?: boolean | null };
  };
  tokens: {
    pick: { run?: string | null; row: number; position: number };
    look: { run?: string | null; row: number; sent?: number | null };
    diverge: { run?: string | null; row: number; position: number; token_id?: number | null };
    stop: null;
    missed: { run?: string | null; row: number; sent?: number | null };
  };
  train: {
    opened: { at: number };
    piece: { at: number; side: string; name: string; size: number; from: number; data: string; sheet?: string | null; delimiter?: string | null; encoding?: string | null };
    example: { at: number; language: string };
    known: { at: number; side: string; key: string };
    guess: { at: number; key: string; task: string; own: string };
    check: { at: number; data: string; validation?: string | null; base?: string | null; name: string; mapping?: Record<string, any> | null; settings: Record<string, any>; draft?: string | null };
    measure: { at: number; data: string; validation?: string | null; base?: string | null; name: string; mapping?: Record<string, any> | null; settings: Record<string, any>; draft?: string | null };
    begin: { at: number; data: string; validation?: string | null; base?: string | null; name: string; mapping?: Record<string, any> | null; settings: Record<string, any>; draft?: string | null };
    follow: { at: number; id: string; starts: number; metrics: number; samples: number };
    curves: { at: number; ids: any[] };
    resume: { at: number; id: string };
    pause: { at: number; id: string };
    halt: { at: number; id: string };
    remove: { at: number; id: string };
    describe: { at: number; id: string; name?: string | null; note?: string | null };
    use: { at: number; id: string };
  };
  user_tasks: {
    check: { at: number; key?: string | null; yaml: string; file?: string | null };
    keep: { at: number; key?: string | null; title: string };
    start: { at: number; key?: string | null };
  };
  waterfall: {
    pick: { run?: string | null; row: number; position: number };
    branch: { run?: string | null; row: number; position: number; token_id?: number | null };
    ask: { run?: string | null; row: number; position: number; text: string };
    close: null;
  };
  write: {
    forget: { key: string };
    halt: null;
    accept: { key?: string | null; head: Record<string, any>; at: number; length: number | string; room: number | string; n: number | string; seed: number | string; knobs: boolean; card: number; heading: string; text: string; model?: string | null; revision?: string | null };
    go: { key?: string | null; head: Record<string, any>; at: number; length: number | string; room: number | string; n: number | string; seed: number | string; knobs: boolean; action: string; target?: number | null; text: string };
    keep: { key?: string | null; head: Record<string, any>; at: number; length: number | string; room: number | string; n: number | string; seed: number | string; knobs: boolean };
    mend: { key?: string | null; head: Record<string, any>; at: number; length: number | string; room: number | string; n: number | string; seed: number | string; knobs: boolean; number: number; heading: string; text: string; gist: string };
    remove: { key?: string | null; head: Record<string, any>; at: number; length: number | string; room: number | string; n: number | string; seed: number | string; knobs: boolean; number: number };
    restore: { key?: string | null; head: Record<string, any>; at: number; length: number | string; room: number | string; n: number | string; seed: number | string; knobs: boolean; number: number; heading: string; text: string; gist: string; model?: string | null; revision?: string | null };
    opened: { key: string; length: number | string; room: number | string; at: number };
    save: { key: string; kind: string; at: number };
  };
}
