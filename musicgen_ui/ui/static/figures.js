// The stage's figures on one time axis: press to seek, a playhead through all of them, zoom, and tabs.
import { $, $$, api, clock, on, store } from "./bus.js";
import { addKeys } from "./keys.js";
import { el, svg } from "./dom.js";
import * as player from "./player.js";
import { drawRuler } from "./ruler.js";
import { hideSheet, moveSheet, showSheet } from "./sheet.js";

const TABS = [
  ["roll", "Piano roll", "Every note: its pitch, its length, its part"],
  ["mel", "Mel spectrogram", "How strong each frequency is, low at the bottom"],
  ["chroma", "Chroma", "How strong each of the twelve pitches is"],
  ["mfcc", "MFCC", "The colour of the sound in twelve numbers"],
  ["sheet", "Sheet music", "The notes on paper"],
];
const EARLY = ["roll", "mel"];
const GUTTER = 46;
const CLOSEST = 240;
const WIDEST = 60000;
const STEP = 2;
const KEPT = 24;

let shown = null;
let box = null;
let parts = null;
let scale = 0;
let tab = "roll";
let follows = true;
let dragged = false;
const drawn = new Map();

const seconds = () => shown?.seconds ?? 1;
const room = () => Math.max(120, parts.scroll.clientWidth - GUTTER);
const fitting = () => room() / seconds();
const most = () => Math.max(fitting(), Math.min(CLOSEST, WIDEST / seconds()));
const width = () => seconds() * scale;

const figureOf = (clip, kind) => {
  const key = `${clip.id} ${kind}`;
  if (!drawn.has(key)) {
    const asked = api(`studio/clips/${clip.id}/figures/${kind}`, { raw: true }).then((answer) => answer.text());
    asked.catch(() => drawn.delete(key));
    drawn.set(key, asked);
    while (drawn.size > KEPT) drawn.delete(drawn.keys().next().value);
  }
  return drawn.get(key);
};

/** Hides names that would run into the one before them. */
const thin = () => {
  for (const names of $$(".chord-names", parts.rows)) {
    let free = -1;
    for (const name of names.children) {
      const left = (parseFloat(name.style.left) / 100) * width();
      name.hidden = left < free;
      if (!name.hidden) free = left + 8 * name.textContent.length + 8;
    }
  }
};

const zoomTo = (wanted, x = null) => {
  const before = scale;
  scale = Math.min(most(), Math.max(fitting(), wanted));
  const { scroll } = parts;
  const place = x ?? room() / 2;
  const at = before > 0 ? (scroll.scrollLeft + place) / before : 0;
  parts.rows.style.setProperty("--track", `${width().toFixed(1)}px`);
  scroll.scrollLeft = at * scale - place;
  parts.out.disabled = scale <= fitting() * 1.001;
  parts.into.disabled = scale >= most() * 0.999;
  parts.rows.style.setProperty("--view", `${scroll.clientWidth}px`);
  thin();
  drawRuler(parts.ruler, shown, scale, scroll.scrollLeft, room());
  move(true);
};

// The playhead moves on the compositor: nothing is drawn anew while it runs.
let last = -1;
const move = (force = false) => {
  if (!shown) return;
  const now = player.now();
  const mine = now.clip?.id === shown.id;
  const at = mine ? Math.min(now.at, seconds()) : 0;
  if (at === last && !force) return;
  last = at;
  const x = at * scale;
  parts.head.style.transform = `translateX(${(GUTTER + x).toFixed(2)}px)`;
  parts.head.hidden = !mine;
  const played = $(".played", parts.wave);
  if (played) played.style.transform = `scaleX(${width() > 0 ? x / width() : 0})`;
  if (tab === "sheet") moveSheet(at, mine && now.playing);
  const { scroll } = parts;
  if (mine && now.playing && follows && !dragged && width() > room() + 1) {
    const left = x - scroll.scrollLeft;
    if (left > room() * 0.85 || left < 0) scroll.scrollLeft = Math.max(0, x - room() * 0.15);
  }
  const said = `${clock(at)} of ${clock(seconds())}`;
  if (parts.slider.getAttribute("aria-valuetext") !== said) {
    parts.slider.setAttribute("aria-valuenow", at.toFixed(1));
    parts.slider.setAttribute("aria-valuetext", said);
  }
};
const tick = () => {
  move();
  requestAnimationFrame(tick);
};

const seekTo = (at) => {
  if (!shown) return;
  const to = Math.min(seconds(), Math.max(0, at));
  if (player.current()?.id === shown.id) {
    player.seek(to);
    if (!player.now().playing) player.toggle();
  } else player.play(shown, { at: to });
};
const timeAt = (clientX) => {
  const { scroll } = parts;
  const x = clientX - scroll.getBoundingClientRect().left - GUTTER + scroll.scrollLeft;
  return x < -6 ? null : x / scale;
};

const listenToPointer = () => {
  let begun = null;
  let queued = null;
  parts.rows.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    begun = { x: event.clientX, y: event.clientY, id: event.pointerId, touch: event.pointerType === "touch" };
    // A finger may mean to scroll: it seeks when it is lifted in the same place.
    if (begun.touch) return;
    const at = timeAt(event.clientX);
    if (at === null) { begun = null; return; }
    parts.rows.setPointerCapture(event.pointerId);
    dragged = true;
    seekTo(at);
    event.preventDefault();
    parts.slider.focus({ preventScroll: true });
  });
  parts.rows.addEventListener("pointermove", (event) => {
    if (!dragged || !begun) return;
    const first = queued === null;
    queued = timeAt(event.clientX);
    if (!first) return;
    requestAnimationFrame(() => {
      const at = queued;
      queued = null;
      if (at !== null && dragged) seekTo(at);
    });
  });
  const end = (event) => {
    if (begun?.touch && event.type === "pointerup" && Math.hypot(event.clientX - begun.x, event.clientY - begun.y) < 10) {
      const at = timeAt(event.clientX);
      if (at !== null) seekTo(at);
    }
    begun = null;
    dragged = false;
  };
  for (const name of ["pointerup", "pointercancel"]) parts.rows.addEventListener(name, end);

  parts.scroll.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) return;
    event.preventDefault();
    zoomTo(scale * Math.exp(-event.deltaY * 0.004), event.clientX - parts.scroll.getBoundingClientRect().left - GUTTER);
  }, { passive: false });
  // Two fingers.
  let pinch = null;
  const apart = (touches) => Math.hypot(touches[0].clientX - touches[1].clientX, touches[0].clientY - touches[1].clientY);
  parts.scroll.addEventListener("touchstart", (event) => {
    if (event.touches.length === 2) pinch = { far: apart(event.touches), scale };
  }, { passive: true });
  parts.scroll.addEventListener("touchmove", (event) => {
    if (!pinch || event.touches.length !== 2) return;
    event.preventDefault();
    const middle = (event.touches[0].clientX + event.touches[1].clientX) / 2;
    zoomTo((pinch.scale * apart(event.touches)) / pinch.far, middle - parts.scroll.getBoundingClientRect().left - GUTTER);
  }, { passive: false });
  parts.scroll.addEventListener("touchend", () => { pinch = null; });
};

const listenToKeys = () => {
  parts.slider.addEventListener("keydown", (event) => {
    const now = player.now();
    const at = now.clip?.id === shown?.id ? now.at : 0;
    const to = { ArrowLeft: at - STEP, ArrowDown: at - STEP, ArrowRight: at + STEP, ArrowUp: at + STEP, PageDown: at - 15, PageUp: at + 15, Home: 0, End: seconds() }[event.key];
    if (to !== undefined) {
      if (player.current()?.id === shown.id) player.seek(Math.min(seconds(), Math.max(0, to)));
      else seekTo(to);
    } else if (event.key === "+" || event.key === "=") zoomTo(scale * 1.5);
    else if (event.key === "-") zoomTo(scale / 1.5);
    else if (event.key === "0") zoomTo(0);
    else return;
    event.preventDefault();
  });
  parts.tabs.addEventListener("keydown", (event) => {
    const tabs = $$("[role=tab]", parts.tabs).filter((each) => !each.hidden);
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const chosen = tabs[(to + tabs.length) % tabs.length];
    chosen.focus();
    choose(chosen.dataset.kind);
  });
};

const lay = (row, html) => {
  row.innerHTML = html;
  const [caption, axis, picture] = ["figcaption", ".scale-left", ".picture"].map((name) => $(name, row));
  if (caption) parts.caption.replaceChildren(...caption.childNodes);
  caption?.remove();
  axis?.classList.add("gutter");
  picture?.classList.add("track");
};

const showTab = async (clip) => {
  const kind = tab;
  parts.panel.setAttribute("aria-labelledby", `figure-tab-${kind}`);
  parts.panel.hidden = kind === "sheet";
  if (kind === "sheet") {
    parts.caption.replaceChildren();
    parts.panel.replaceChildren();
    showSheet(parts.sheet, clip, seekTo);
    return;
  }
  hideSheet(parts.sheet);
  parts.panel.setAttribute("aria-busy", "true");
  try {
    const html = await figureOf(clip, kind);
    if (shown?.id !== clip.id || tab !== kind) return;
    lay(parts.panel, html);
    thin();
  } catch (error) {
    if (shown?.id === clip.id && tab === kind) parts.panel.replaceChildren(el("p.lost", {}, error.message));
  } finally {
    parts.panel.setAttribute("aria-busy", "false");
  }
};

const choose = (kind) => {
  tab = kind;
  store.set("figure", kind);
  for (const each of $$("[role=tab]", parts.tabs)) {
    const mine = each.dataset.kind === kind;
    each.setAttribute("aria-selected", String(mine));
    each.tabIndex = mine ? 0 : -1;
  }
  if (shown) showTab(shown);
};

/** Shows a clip's figures. */
export const show = async (clip) => {
  const again = shown?.id === clip.id;
  shown = clip;
  if (again) return;
  last = -1;
  scale = 0;
  parts.slider.setAttribute("aria-valuemax", clip.seconds.toFixed(1));
  parts.wave.replaceChildren();
  zoomTo(0);
  showTab(clip);
  try {
    const html = await figureOf(clip, "waveform");
    if (shown.id !== clip.id) return;
    const holder = document.createElement("div");
    holder.innerHTML = html;
    parts.wave.replaceChildren(...$(".picture", holder).childNodes, el("i.played"));
    move(true);
  } catch (error) {
    if (shown.id === clip.id) parts.wave.replaceChildren(el("p.lost", {}, error.message));
  }
  for (const kind of EARLY) figureOf(clip, kind).catch(() => null);
};
export const shownClip = () => shown;

const button = (words, label, onclick) => el("button.zoom", { type: "button", "aria-label": label, title: label, onclick }, words);

const build = () => {
  const tabs = TABS.map(([kind, words, tells]) =>
    el("button", { type: "button", role: "tab", id: `figure-tab-${kind}`, "data-kind": kind, title: tells, "aria-controls": "figure-panel", onclick: () => choose(kind) }, words));
  parts = {
    tabs: el("div.tabs", { role: "tablist", "aria-label": "Figures" }, ...tabs),
    out: button("−", "Zoom out", () => zoomTo(scale / 1.5)),
    fit: button("Fit", "Show the whole clip", () => zoomTo(0)),
    into: button("+", "Zoom in", () => zoomTo(scale * 1.5)),
    caption: el("div.caption"),
    wave: el("div.track.wave"),
    slider: el("div.row.slider", { role: "slider", tabIndex: 0, "aria-label": "Position in the clip", "aria-valuemin": "0", "aria-valuemax": "1", "aria-valuenow": "0" }),
    ruler: svg("svg", { class: "ruler", "aria-hidden": "true" }),
    panel: el("div.row.panel", { role: "tabpanel", id: "figure-panel" }),
    head: el("i.playhead"),
    rows: el("div.rows"),
    scroll: el("div.scroll"),
    sheet: el("div.sheet", { hidden: true }),
  };
  parts.slider.append(el("div.gutter"), parts.wave);
  parts.rows.append(parts.slider, el("div.row.times", {}, el("div.gutter"), el("div.track", {}, parts.ruler)), parts.panel, parts.head);
  parts.scroll.append(parts.rows);
  box.append(
    el("div.figures-head", {}, parts.tabs, el("div.zooms", { role: "group", "aria-label": "Zoom" }, parts.out, parts.fit, parts.into)),
    parts.scroll, parts.caption, parts.sheet,
  );
};

export const start = () => {
  box = $("#figures");
  build();
  parts.rows.style.setProperty("--gutter", `${GUTTER}px`);
  listenToPointer();
  listenToKeys();
  let ruled = -1;
  parts.scroll.addEventListener("scroll", () => {
    const left = Math.round(parts.scroll.scrollLeft);
    if (left === ruled || !shown) return;
    ruled = left;
    drawRuler(parts.ruler, shown, scale, left, room());
  });
  new ResizeObserver(() => { if (shown && parts.scroll.clientWidth > 0) zoomTo(scale <= fitting() * 1.02 || scale === 0 ? 0 : scale); }).observe(parts.scroll);
  choose(TABS.some(([kind]) => kind === store.get("figure")) ? store.get("figure") : "roll");
  on("clip", ({ clip, to }) => { if (to === "stage") show(clip); });
  addKeys("Figures", [["+ −", "Zoom in and out, on the waveform"], ["0", "Show the whole clip"]]);
  requestAnimationFrame(tick);
};
