// What stands before the script of every element: Python and it speak in JSON texts, which Gradio takes for texts and
// searches no further. `props` reads and sets what they say; the data of an event goes as such a text too.
[trigger, props] = ((send, raw) => {
  const known = new Map(); // by name: the last text and what it says
  const read = (name, text) => {
    if (typeof text !== "string") return text;
    if (known.get(name)?.text !== text) {
      let says = text;
      try { says = JSON.parse(text); } catch { /* one of Gradio's own props */ }
      known.set(name, { text, says });
    }
    return known.get(name).says;
  };
  const set = (place, name, says) => {
    const text = JSON.stringify(says ?? null);
    known.set(name, { text, says });
    place[name] = text;
    return true;
  };
  return [
    (event, data) => send(event, JSON.stringify(data ?? null)),
    new Proxy(raw, { get: (place, name) => read(name, place[name]), set }),
  ];
})(trigger, props);
