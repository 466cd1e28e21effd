// The room Library: all clips of a person, with search, filters and order; playlists and the search by sound lie beside them.
import { $, $$, emit, on, showRoom, store } from "./bus.js";
import { action, el, ground, icon, knob, later, plural } from "./dom.js";
import { clipCard } from "./clipcards.js";
import { clips } from "./routes.js";
import { libraryMenu } from "./belongings.js";
import { makeFilters } from "./filters.js";
import { LongList } from "./longlist.js";
import { openMenu } from "./menu.js";
import * as player from "./player.js";

const SHELVES = [
  ["kept", "Kept", { kept: true }],
  ["liked", "Liked", { liked: 1 }],
  ["history", "History", { kept: false }],
];
const SORTS = ["newest", "oldest", "title", "tempo", "most played", "liked"];
const PARTS = [["clips", "Clips"], ["playlists", "Playlists"], ["similar", "Find similar"]];

const EMPTY = {
  kept: ["heart", "Nothing kept yet", "Press the heart on a clip, and it stays here with everything that makes it again. All that you made lately is in the history.", "See the history", () => pickShelf("history")],
  liked: ["like", "Nothing liked yet", "Press the thumb on clips that please you. They gather here, and the radio learns from them.", "Go to the radio", () => showRoom("foryou")],
  history: ["desk", "Nothing made yet", "Every clip that you make lands here by itself. Move a few sliders and press Generate.", "Go to the studio", () => showRoom("studio")],
  none: ["search", "Nothing is like that", "No clip has all of these words and lies within these filters.", "Clear search and filters", () => clearAll()],
};

const state = { shelf: "kept", sort: "newest", text: "" };
let parts = {};
let filters = null;
let list = null;

/** Where a neighbour draws: `panel("playlists")`. */
export const panel = (name) => parts[name]?.panel ?? null;

/** Opens one of the Library's parts: clips, playlists, similar. */
export const showPart = (name, focus = false) => {
  for (const [each, { tab, panel: box }] of Object.entries(parts)) {
    const now = each === name;
    tab.setAttribute("aria-selected", String(now));
    tab.tabIndex = now ? 0 : -1;
    box.hidden = !now;
    if (now && focus) tab.focus();
  }
  store.set("library-part", name);
  if (name === "clips") list?.show();
  emit("library-part", { name });
};

const asked = () => ({ ...SHELVES.find(([name]) => name === state.shelf)[2], text: state.text, sort: state.sort, ...filters.asked() });

const empty = () => {
  const [sign, heading, text, words, does] = EMPTY[state.text || filters.any() ? "none" : state.shelf];
  return el("div.nothing", {}, icon(sign), el("h3", {}, heading), el("p", {}, text), el("button.quiet", { type: "button", onclick: does }, words));
};

const note = (box, ...inside) => { box.replaceChildren(...inside); box.hidden = inside.length === 0; };

const build = () => {
  filters = makeFilters(() => renew());
  const search = el("input", { type: "search", placeholder: "Search", "aria-label": "Search title, tags, genre, key and instruments", maxLength: 120, oninput: later(() => { state.text = search.value.trim(); renew(); }, 220) });
  const shelves = el("div.shelves", { role: "group", "aria-label": "Which clips" }, ...SHELVES.map(([name, words]) =>
    el("button", { type: "button", "data-shelf": name, onclick: () => pickShelf(name) }, words)));
  const sort = el("select", { "aria-label": "Order", onchange: () => { state.sort = sort.value; store.set("library-sort", state.sort); renew(); } },
    ...SORTS.map((value) => el("option", { value }, value[0].toUpperCase() + value.slice(1))));
  const view = knob("tiles", "Show as sleeves", () => setTiles(!list.tiles), { "aria-pressed": "false", id: "library-view" });
  const count = el("p.count", { role: "status" });
  const all = action("play", "Play all", () => playFrom(0), { id: "play-all", className: "action all" });
  const message = el("div.message", { hidden: true });
  list = new LongList({
    label: "Clips",
    load: (page, size) => clips.list({ ...asked(), page, size }),
    draw: (clip, index) => clipCard(clip, { playIt: () => playFrom(index), move: (steps) => list.focus(index + steps) }),
    told: ({ total }) => {
      count.replaceChildren(...plural(total, "clip", "clips"));
      all.hidden = total === 0;
      note(message, ...(total === 0 ? [empty()] : []));
    },
    failed: (error) => note(message, el("div.nothing", { role: "alert" }, icon("close"), el("h3", {}, "The library does not answer"), el("p", {}, error.message), el("button.quiet", { type: "button", onclick: () => renew() }, "Try again"))),
  });
  sort.value = state.sort;
  parts.clips.panel.append(
    el("div.bar", {}, shelves, el("label.search", {}, icon("search"), search), filters.open, sort, view),
    filters.panel, filters.chips,
    el("div.list-head", {}, count, all),
    message, list.box,
  );
  parts.clips.search = search;
};

const markShelf = () => {
  for (const button of $$(".shelves button", parts.clips.panel)) button.setAttribute("aria-pressed", String(button.dataset.shelf === state.shelf));
};
const pickShelf = (name) => {
  state.shelf = name;
  store.set("library-shelf", name);
  markShelf();
  renew();
};
const clearAll = () => {
  state.text = "";
  parts.clips.search.value = "";
  filters.clear();
};
const setTiles = (tiles) => {
  list.tiles = tiles;
  store.set("library-tiles", tiles ? "yes" : "no");
  $("#library-view").setAttribute("aria-pressed", String(tiles));
  list.show();
};

/** Plays the list from a place on, and goes on to its end. */
const playFrom = (index) => {
  const clip = list.clip(index);
  if (clip) player.play(clip, { list: list.from(index), index: 0 });
};

let stale = true;
const seen = () => document.body.dataset.room === "library" && !parts.clips.panel.hidden;
const renew = () => {
  scrollTo(0, Math.min(scrollY, $("#library-app").offsetTop));
  return list.reset();
};
const freshen = later(async () => {
  if (!seen()) { stale = true; return; }
  stale = false;
  await list.refresh();
  clips.facets().then(filters.offer).catch(() => { /* the menus stay as they are */ });
}, 120);

const shell = () => {
  const more = knob("more", "Export, import and clear", () => openMenu(more, "The library", libraryMenu()), { "aria-haspopup": "menu", "aria-expanded": "false" });
  const tabs = el("div.parts", { role: "tablist", "aria-label": "Library" });
  parts = Object.fromEntries(PARTS.map(([name, words]) => {
    const tab = el("button", { type: "button", role: "tab", id: `part-${name}`, "aria-controls": `part-${name}-panel`, onclick: () => showPart(name) }, words);
    const box = el("div.part", { role: "tabpanel", id: `part-${name}-panel`, "aria-labelledby": `part-${name}`, hidden: true });
    tabs.append(tab);
    return [name, { tab, panel: box }];
  }));
  tabs.addEventListener("keydown", (event) => {
    const names = PARTS.map(([name]) => name);
    const now = names.findIndex((name) => parts[name].tab === document.activeElement);
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    showPart(names[(to + names.length) % names.length], true);
  });
  const offline = el("p.offline", { role: "status", hidden: navigator.onLine }, "You are offline. What you see here may be old.");
  addEventListener("offline", () => { offline.hidden = false; });
  addEventListener("online", () => { offline.hidden = true; emit("library"); });
  ground("library-app").append(el("header.room-head", {}, el("h2", {}, "Library"), tabs, more), offline, ...Object.values(parts).map(({ panel: box }) => box));
};

export const start = () => {
  for (const name of ["shelf", "sort"]) {
    const kept = store.get(`library-${name}`);
    if (name === "sort" ? SORTS.includes(kept) : SHELVES.some(([each]) => each === kept)) state[name] = kept;
  }
  shell();
  build();
  markShelf();
  setTiles(store.get("library-tiles") === "yes");
  const kept = store.get("library-part");
  showPart(PARTS.some(([name]) => name === kept) ? kept : "clips");
  on("library", freshen);
  on("clip-changed", ({ clip }) => { list.put(clip); stale = true; });
  on("clip-gone", () => { stale = true; });
  on("show-tag", ({ tag }) => { showRoom("library"); showPart("clips"); filters.only("tag", tag); });
  const look = () => { if (seen() && stale) freshen(); else if (seen()) list.show(); };
  on("room", look);
  on("library-part", look);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && seen() && !(event.target instanceof HTMLInputElement)) { event.preventDefault(); parts.clips.search.focus(); }
  });
};
