// Playlists: made, named, filled, put in order by hand or by keyboard, played through, taken away and given on.
import { $$, clock, on, say, showRoom, toast } from "./bus.js";
import { action, el, icon, knob, later, plural } from "./dom.js";
import { clipCard } from "./clipcards.js";
import { askText, openMenu, openWindow } from "./menu.js";
import { playlists } from "./routes.js";
import { dragOrder } from "./dragging.js";
import { openFile, openLink, share, take } from "./handing.js";
import { panel, showPart } from "./library.js";
import { sleeve } from "./sleeve.js";
import * as player from "./player.js";

let box = null;
let shown = null; // the playlist that is open, with its clips
let turn = 0; // an answer that was asked for before the last change is old
let writes = Promise.resolve();
/** Changes go to the server one after the other, and nothing is read while one is under way. */
const write = (work) => {
  turn += 1;
  const done = writes.then(work);
  writes = done.catch(() => null);
  return done;
};
const failed = (error) => toast(error.message);

const collage = (list) =>
  el("div.collage", { "aria-hidden": "true" }, ...list.slice(0, 4).map(sleeve), ...Array.from({ length: Math.max(0, 4 - list.length) }, () => el("i", {})));

// The list of playlists does not tell their clips; the first few are looked up one by one, once each.
const covers = new Map();
let covering = Promise.resolve();
const cover = (list) => {
  const mark = `${list.id} ${list.changed}`;
  const picture = collage(covers.get(mark) ?? []);
  if (list.count && !covers.has(mark)) {
    covering = covering.then(() => playlists.get(list.id)).then(({ clips }) => {
      covers.set(mark, clips.slice(0, 4));
      picture.replaceWith(collage(clips));
    }, () => { /* without a picture */ });
  }
  return picture;
};

const length = (seconds) => {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return el("span.total", {}, clock(seconds));
  return el("span.total", {}, el("b", {}, Math.floor(minutes / 60)), " h ", el("b", {}, minutes % 60), " min");
};

/** All playlists. */
const overview = async () => {
  turn += 1;
  const mine = turn;
  shown = null;
  box.setAttribute("aria-busy", "true");
  try {
    const all = await playlists.all();
    if (mine !== turn) return;
    const cards = all.map((each) =>
      el("li", {}, el("button.playlist", { type: "button", onclick: () => open(each.id) },
        cover(each), el("b.title", { translate: "no" }, each.name), el("span.facts", {}, el("span", {}, ...plural(each.count, "clip", "clips")), length(each.seconds)))));
    const nothing = el("div.nothing", {}, icon("list"), el("h3", {}, "No playlist yet"), el("p", {}, "Put clips in an order, hear them one after the other without a gap, and take them away as files."), el("button.quiet", { type: "button", onclick: create }, "New playlist"));
    box.replaceChildren(
      el("div.list-head", {}, el("p.count", {}, ...plural(all.length, "playlist", "playlists")), action("plus", "New playlist", create)),
      all.length ? el("ul.playlists", {}, ...cards) : nothing,
    );
  } catch (error) {
    box.replaceChildren(el("div.nothing", { role: "alert" }, icon("close"), el("h3", {}, "The playlists do not come"), el("p", {}, error.message), el("button.quiet", { type: "button", onclick: overview }, "Try again")));
  }
  box.removeAttribute("aria-busy");
};

const create = async () => {
  const name = await askText("New playlist", "Name", { words: "Make it" });
  if (!name) return null;
  try {
    const made = await playlists.create(name);
    await open(made.id);
    return made;
  } catch (error) {
    failed(error);
    return null;
  }
};

const open = async (id, focus = true) => {
  turn += 1;
  const mine = turn;
  try {
    await writes;
    const found = await playlists.get(id);
    if (mine !== turn) return;
    shown = found;
    draw();
    if (focus) box.querySelector("h3")?.focus();
  } catch (error) {
    if (mine !== turn) return;
    failed(error);
    overview();
  }
};

const visit = (list) => {
  showPart("playlists");
  return open(list.id);
};

/** Writes a new order, and shows it at once. */
const order = async (clips) => {
  const before = shown.clips;
  shown.clips = clips;
  draw();
  try {
    const { id } = shown;
    await write(() => playlists.order(id, clips.map((clip) => clip.id)));
  } catch (error) {
    shown.clips = before;
    draw();
    failed(error);
  }
};

const move = async (from, to) => {
  if (to < 0 || to >= shown.clips.length || from === to) return;
  const clips = [...shown.clips];
  clips.splice(to, 0, ...clips.splice(from, 1));
  const saved = order(clips);
  say(`Place ${to + 1} of ${clips.length}`);
  await saved;
};

const takeOut = async (index) => {
  const { id } = shown;
  const { id: clip } = shown.clips[index];
  try {
    shown = await write(() => playlists.takeOut(id, index, clip));
  } catch (error) {
    failed(error);
    return;
  }
  draw();
  ($$(".clip", box)[Math.min(index, shown.clips.length - 1)] ?? box).querySelector("button")?.focus();
  const back = () => playlists.add(id, [clip], index).then(() => shown?.id === id && open(id, false), failed);
  toast("Taken out", { label: "Undo", action: back });
};

const remove = async (list) => {
  try {
    await playlists.remove(list.id);
    await overview();
    toast("Playlist deleted", { label: "Undo", action: () => playlists.restore(list.id).then(() => open(list.id)).catch(failed) });
  } catch (error) {
    failed(error);
  }
};

const rename = async (list) => {
  const name = await askText("Rename", "Name of the playlist", { value: list.name });
  if (name && name !== list.name) await playlists.rename(list.id, name).then(() => open(list.id), failed);
};

const actions = (button, list) =>
  openMenu(button, `More for ${list.name}`, [
    { words: "Rename", icon: "edit", does: () => rename(list) },
    { words: "Duplicate", icon: "plus", does: () => playlists.duplicate(list.id, `${list.name} (copy)`.slice(0, 120)).then((made) => open(made.id), failed) },
    { words: "Copy a link to it", icon: "link", does: () => share(list) },
    "-",
    { words: "Download the sound (zip)", icon: "down", does: () => take(list, "zip") },
    { words: "Download a list (M3U)", icon: "down", does: () => take(list, "m3u") },
    { words: "Download to give on (JSON)", icon: "down", does: () => take(list, "json") },
    "-",
    { words: "Delete", icon: "trash", kind: "grave", does: () => remove(list) },
  ]);

/** What has the focus, by clip and button: a list that is drawn anew gives it back. */
const holding = () => {
  const button = box.contains(document.activeElement) ? document.activeElement : null;
  const { of } = button?.closest(".clip")?.dataset ?? {};
  return () => {
    const row = of && $$(".clip", box).find((each) => each.dataset.of === of);
    if (row) (row.querySelector(`[data-does="${button.dataset.does}"]:not(:disabled)`) ?? row.querySelector("button")).focus({ preventScroll: true });
  };
};

/** The playlist that is open. */
const draw = () => {
  const list = shown;
  const giveBack = holding();
  const { clips } = list;
  const more = knob("more", `More for ${list.name}`, () => actions(more, list), { "aria-haspopup": "menu", "aria-expanded": "false" });
  const playFrom = (index) => player.play(clips[index], { list: clips, index });
  const rows = clips.map((clip, i) => {
    const last = clips.length - 1;
    const extra = [
      knob("up", `Move ${clip.title} up`, () => move(i, i - 1), { disabled: i === 0, "data-does": "up", className: "knob order" }),
      knob("down", `Move ${clip.title} down`, () => move(i, i + 1), { disabled: i === last, "data-does": "down", className: "knob order" }),
    ];
    const entries = [
      { words: "Take out of this playlist", icon: "close", does: () => takeOut(i) },
      ...(i > 0 ? [{ words: "Move up", icon: "up", kind: "narrow", does: () => move(i, i - 1) }] : []),
      ...(i < last ? [{ words: "Move down", icon: "down", kind: "narrow", does: () => move(i, i + 1) }] : []),
    ];
    const card = clipCard(clip, { playIt: () => playFrom(i), extra, more: entries, move: (steps) => $$(".clip", box)[i + steps]?.querySelector("button")?.focus() });
    card.prepend(el("span.grip", { "aria-hidden": "true", title: "Drag to another place" }, icon("grip")));
    card.addEventListener("keydown", (event) => {
      const steps = event.altKey ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : 0;
      if (!steps) return;
      event.preventDefault();
      move(i, i + steps);
    });
    return el("li", {}, card);
  });
  const songs = el("ol.ordered", { "aria-labelledby": "playlist-name" }, ...rows);
  dragOrder(songs, move);
  box.replaceChildren(
    el(
      "header.playlist-head",
      {},
      knob("back", "All playlists", overview),
      collage(clips),
      el("div.what", {}, el("h3", { id: "playlist-name", tabIndex: -1, translate: "no" }, list.name), el("p.facts", {}, el("span", {}, ...plural(clips.length, "clip", "clips")), length(clips.reduce((sum, clip) => sum + clip.seconds, 0)))),
      clips.length ? action("play", "Play", () => playFrom(0), { className: "action strong" }) : null,
      more,
    ),
    clips.length ? songs : el("div.nothing", {}, icon("list"), el("h3", {}, "Empty so far"), el("p", {}, "In the list of clips, open a clip's menu and choose “Add to a playlist”."), el("button.quiet", { type: "button", onclick: () => showPart("clips", true) }, "Go to the clips")),
  );
  giveBack();
};

/** Asks which playlist a clip is to go to. */
const addTo = async (clip) => {
  let all = [];
  try {
    all = await playlists.all();
  } catch (error) {
    failed(error);
    return;
  }
  const add = async (list) => {
    chosen.close();
    try {
      await playlists.add(list.id, [clip.id]);
      toast(`Added to ${list.name}`, { label: "Show it", action: () => { showRoom("library"); showPart("playlists"); open(list.id); } });
      if (shown?.id === list.id) open(list.id, false);
    } catch (error) {
      failed(error);
    }
  };
  const field = el("input", { type: "text", maxLength: 80, placeholder: "Name of a new playlist", "aria-label": "Name of a new playlist", required: true });
  const fresh = el("form.fresh", { onsubmit: async (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (name) await playlists.create(name).then(add, failed);
  } }, field, el("button.quiet", { type: "submit" }, "Make it"));
  const rows = all.map((list) => el("li", {}, el("button.choice", { type: "button", onclick: () => add(list) }, el("b", { translate: "no" }, list.name), el("span", {}, ...plural(list.count, "clip", "clips")))));
  const chosen = openWindow("Add to a playlist", rows.length ? el("ul.choices", {}, ...rows) : null, fresh);
};

export const start = () => {
  box = panel("playlists");
  const freshen = later(() => {
    if (box.hidden || document.body.dataset.room !== "library") return;
    if (shown) open(shown.id, false);
    else overview();
  }, 150);
  on("library-part", ({ name }) => { if (name === "playlists" && !shown) overview(); else if (name === "playlists") freshen(); });
  on("room", freshen);
  on("library", freshen);
  on("clip-changed", ({ clip }) => {
    const at = shown?.clips.findIndex((each) => each.id === clip.id) ?? -1;
    if (at < 0) return;
    shown.clips[at] = clip;
    draw();
  });
  on("open-playlist-file", () => openFile(visit));
  on("add-to-playlist", ({ clip }) => addTo(clip));
  openLink(visit);
  if (!box.hidden) freshen();
};
