// What a list of clips is narrowed to: words, menus and ranges, and chips that show what is set.
import { el, icon, knob, later } from "./dom.js";
import { prettyKey } from "./clipwords.js";

const TEMPO = [40, 200];
const SLIDERS = [
  ["mood", "Mood", "minor", "major"], ["energy", "Energy", "calm", "driving"], ["density", "Density", "sparse", "busy"],
  ["syncopation", "Syncopation", "straight", "off-beat"], ["complexity", "Complexity", "simple", "rich"],
  ["brightness", "Brightness", "warm", "bright"], ["space", "Space", "dry", "hall"],
];
const ORIGINS = { made: "Made with Generate", take: "One of several takes", vary: "Variation", morph: "Morph", radio: "From the radio", opened: "Opened from a link", imported: "Imported" };

/** Two handles on one line. `told(low, high)` hears null for an end that is open. */
const range = (name, words, ends, [low, high], step, told) => {
  const made = ["from", "to"].map((side, i) =>
    el("input", { type: "range", min: low, max: high, step, value: i ? high : low, "aria-label": `${words}, ${side}` }));
  const [from, to] = made;
  const says = el("output", {});
  const box = el("div.span", {}, el("p", {}, el("b", {}, words), says), el("div.rail", {}, from, to), el("p.ends", {}, el("span", {}, ends[0]), el("span", {}, ends[1])));
  const values = () => made.map((each) => Number(each.value));
  const draw = () => {
    const [a, b] = values();
    const share = (value) => `${(100 * (value - low)) / (high - low)}%`;
    box.style.setProperty("--a", share(a));
    box.style.setProperty("--b", share(b));
    const whole = a === low && b === high;
    box.classList.toggle("set", !whole);
    says.textContent = whole ? "any" : `${a} – ${b}`;
  };
  const tell = later(() => {
    const [a, b] = values();
    told(a === low ? null : a, b === high ? null : b);
  }, 200);
  made.forEach((each, i) => each.addEventListener("input", () => {
    const [a, b] = values();
    if (i === 0 && a > b) from.value = b;
    if (i === 1 && b < a) to.value = a;
    draw();
    tell();
  }));
  draw();
  return { box, name, clear: () => { from.value = low; to.value = high; draw(); } };
};

/** The filters. `changed()` is called whenever `asked()` gives something else. */
export const makeFilters = (changed) => {
  const set = { genre: null, key: null, tag: null, origin: null, tempo: [null, null], heard: {} };
  const chips = el("div.set-filters", { role: "group", "aria-label": "Filters that are set" });
  const menus = {};

  const menu = (name, words, any) => {
    menus[name] = el("select", { onchange: (event) => { set[name] = event.target.value || null; tell(); } }, el("option", { value: "" }, any));
    return el("label.field", {}, el("span", {}, words), menus[name]);
  };
  const spans = [
    range("tempo", "Tempo", ["40 BPM", "200 BPM"], TEMPO, 1, (low, high) => { set.tempo = [low, high]; tell(); }),
    ...SLIDERS.map(([name, words, low, high]) =>
      range(name, words, [low, high], [0, 1], 0.05, (a, b) => {
        if (a === null && b === null) delete set.heard[name];
        else set.heard[name] = [a, b];
        tell();
      })),
  ];
  const panel = el(
    "div.filters",
    { id: "library-filters", hidden: true },
    el("div.menus", {}, menu("genre", "Genre", "Any genre"), menu("key", "Key", "Any key"), menu("tag", "Tag", "Any tag"), menu("origin", "How it came", "Any way")),
    el("div.spans", {}, ...spans.map((each) => each.box)),
  );
  const open = el("button.action", { type: "button", "aria-expanded": "false", "aria-controls": "library-filters", onclick: () => {
    panel.hidden = !panel.hidden;
    open.setAttribute("aria-expanded", String(!panel.hidden));
  } }, icon("filter"), el("span", {}, "Filter"));

  const clear = (name) => {
    if (name in menus) { set[name] = null; menus[name].value = ""; }
    else { spans.find((each) => each.name === name).clear(); if (name === "tempo") set.tempo = [null, null]; else delete set.heard[name]; }
  };
  const active = () => [
    ...["genre", "key", "tag", "origin"].filter((name) => set[name]),
    ...(set.tempo.some((end) => end !== null) ? ["tempo"] : []),
    ...Object.keys(set.heard),
  ];
  const told = (name) => {
    if (name === "key") return [prettyKey(set.key)];
    if (name === "origin") return [ORIGINS[set.origin] ?? set.origin];
    if (name === "tag") return [el("span", { translate: "no" }, set.tag)];
    if (name in menus) return [set[name]];
    const [low, high] = name === "tempo" ? set.tempo : set.heard[name];
    const words = name === "tempo" ? "Tempo" : SLIDERS.find(([each]) => each === name)[1];
    return [el("span", {}, words), " ", el("b", {}, `${low ?? (name === "tempo" ? TEMPO[0] : 0)} – ${high ?? (name === "tempo" ? TEMPO[1] : 1)}`)];
  };
  const draw = () => {
    const names = active();
    chips.replaceChildren(
      ...names.map((name) => el("span.filter-chip", {}, ...told(name), knob("close", `Take this filter away: ${name}`, () => { clear(name); tell(); open.focus(); }))),
      ...(names.length > 1 ? [el("button.plain", { type: "button", onclick: () => { names.forEach(clear); tell(); open.focus(); } }, "Clear all")] : []),
    );
    open.classList.toggle("set", names.length > 0);
  };
  const tell = () => { draw(); changed(); };

  const offer = (name, values, words = (value) => value) => {
    const kept = set[name];
    const all = kept && !values.includes(kept) ? [kept, ...values] : values;
    menus[name].replaceChildren(menus[name].firstChild, ...all.map((value) => el("option", { value, translate: name === "tag" ? "no" : "yes" }, words(value))));
    menus[name].value = kept ?? "";
  };

  return {
    panel, open, chips,
    any: () => active().length > 0,
    /** The menus' entries: what the library has. */
    offer: ({ genres, keys, tags, origins }) => {
      offer("genre", genres);
      offer("key", keys, prettyKey);
      offer("tag", tags);
      offer("origin", origins, (value) => ORIGINS[value] ?? value);
    },
    only: (name, value) => { active().forEach(clear); set[name] = value; offer(name, [...menus[name].options].slice(1).map((each) => each.value)); tell(); },
    clear: () => { active().forEach(clear); tell(); },
    asked: () => ({ genre: set.genre, key: set.key, tag: set.tag, origin: set.origin, tempo: set.tempo, heard: set.heard }),
  };
};
