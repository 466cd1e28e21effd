// The player at the foot of every room.
import { $, clock, emit, say, toast } from "./bus.js";
import { el, icon, svg, typing } from "./dom.js";
import { prettyKey } from "./clipwords.js";
import { addKeys, openKeys, startKeys } from "./keys.js";
import { openWindow } from "./menu.js";
import * as player from "./player.js";
import { clips } from "./routes.js";
import { heard, setMuted, setVolume } from "./sound.js";

const STEP = 2;
const DRAWN = {
  previous: "M17 6v12l-9-6zM6.5 6v12",
  next: "M7 6v12l9-6zM17.5 6v12",
  loop: "M5 12a5 5 0 0 1 5-5h7M14.5 4.5L17 7l-2.5 2.5M19 12a5 5 0 0 1-5 5H7M9.5 19.5L7 17l2.5-2.5",
  loud: "M4.5 9.5v5H8l4.5 4v-13L8 9.5zM15.5 9a4 4 0 0 1 0 6M17.5 6.5a7.5 7.5 0 0 1 0 11",
  quiet: "M4.5 9.5v5H8l4.5 4v-13L8 9.5zM15.5 9.5l5 5M20.5 9.5l-5 5",
  adjust: "M5 7h7M16 7h3M14 5v4M5 12h2M11 12h8M9 10v4M5 17h7M16 17h3M14 15v4",
  help: "M9.2 9.3a2.9 2.9 0 1 1 4.3 2.6c-.9.5-1.5 1-1.5 2.1M12 17.2h.01",
};
const glyph = (name) =>
  name in DRAWN ? svg("svg", { viewBox: "0 0 24 24", class: `icon ${name}`, "aria-hidden": "true" }, svg("path", { d: DRAWN[name] })) : icon(name);
const press = (name, label, onclick, values = {}) =>
  el("button", { type: "button", "aria-label": label, title: label, onclick, ...values, className: `press ${name}` }, glyph(name));

let box = null;
let parts = null;
let held = false;
let shown = "";

const change = async (values, ask) => {
  const clip = player.current();
  if (!clip) return;
  emit("clip-changed", { clip: { ...clip, ...values } });
  try {
    const told = await ask(clip);
    if (told?.id === clip.id) emit("clip-changed", { clip: told });
    emit("library");
  } catch (error) {
    emit("clip-changed", { clip });
    toast(error.message);
  }
};
const like = () => {
  const liked = player.current()?.liked === 1 ? 0 : 1;
  change({ liked }, (clip) => clips.like(clip.id, liked)).then(() => say(liked ? "Liked" : "No longer liked"));
};
const keep = () => {
  const kept = player.current()?.kept !== true;
  change({ kept }, (clip) => clips.keep(clip.id, kept)).then(() => say(kept ? "Kept in the library" : "Back in the history"));
};
const mute = () => {
  setMuted(!heard.muted);
  say(heard.muted ? "Sound off" : "Sound on");
  drawBar();
};

const setup = () => {
  const now = player.settings.policy;
  const choices = Object.entries(player.POLICIES).map(([value, words]) =>
    el("label.choice", {}, el("input", { type: "radio", name: "when-ready", value, checked: value === now, onchange: () => { player.settings.policy = value; } }), el("span", {}, words)));
  const seconds = el("output", {}, String(player.settings.crossfade));
  const fade = el("input", { type: "range", min: 0, max: 8, step: 0.5, value: player.settings.crossfade, id: "crossfade", oninput: () => {
    player.settings.crossfade = Number(fade.value);
    seconds.textContent = fade.value;
  } });
  openWindow(
    "Playing",
    el("fieldset.setup", {}, el("legend", {}, "When a new clip is ready, it plays"), ...choices),
    el("div.setup", {}, el("label", { htmlFor: "crossfade" }, "Crossfade in playlists and radio"), el("p.fade", {}, fade, seconds, " ", el("span", {}, "seconds"))),
  );
};

const facts = (clip) =>
  [`${Math.round(clip.tempo)} BPM`, clip.key && prettyKey(clip.key), clip.metre, clip.genre].filter(Boolean).map((fact) => el("span", {}, fact));

const seekTo = () => {
  held = false;
  player.seek(Number(parts.seek.value));
};
const build = () => {
  parts = {
    back: press("previous", "Previous", () => player.previous()),
    play: press("play", "Play", () => player.toggle()),
    next: press("next", "Next", () => player.next()),
    title: el("b", {}),
    facts: el("p.facts", {}),
    at: el("output.at", {}, "0:00"),
    seek: el("input.seek", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": "Position in the clip" }),
    length: el("span.length", {}, "0:00"),
    loop: press("loop", "Loop", () => player.toggleLoop(), { "aria-pressed": "false" }),
    like: press("like", "Like", like, { "aria-pressed": "false" }),
    keep: press("heart", "Keep in the library", keep, { "aria-pressed": "false" }),
    mute: press("loud", "Sound off", mute),
    volume: el("input.volume", { type: "range", min: 0, max: 1, step: 0.02, value: heard.volume, "aria-label": "Volume" }),
    note: el("p.note", {}),
    upcoming: el("p.upcoming", {}),
  };
  parts.seek.addEventListener("input", () => {
    held = true;
    parts.at.textContent = clock(parts.seek.value);
  });
  parts.seek.addEventListener("change", seekTo);
  parts.seek.addEventListener("keydown", (event) => {
    const { at, length } = player.now();
    const to = { ArrowLeft: at - STEP, ArrowDown: at - STEP, ArrowRight: at + STEP, ArrowUp: at + STEP, PageDown: at - 15, PageUp: at + 15, Home: 0, End: length }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    player.seek(to);
  });
  parts.volume.addEventListener("input", () => { setVolume(Number(parts.volume.value)); drawBar(); });
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Player");
  box.append(
    parts.upcoming,
    el("div.deck", {},
      el("div.transport", {}, parts.back, parts.play, parts.next),
      el("div.now", {}, el("p.title", {}, parts.title, parts.note), parts.facts),
      el("div.line", {}, parts.at, parts.seek, el("span.rest", {}, parts.length)),
      el("div.marks", {}, parts.loop, parts.like, parts.keep),
      el("div.sound", {}, parts.mute, parts.volume, press("adjust", "How clips follow each other", setup), press("help", "Keys", openKeys)),
    ),
  );
};

const set = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };
const text = (element, words) => { if (element.textContent !== words) element.textContent = words; };
const face = (button, name, label) => {
  if (button.dataset.face !== name) {
    button.dataset.face = name;
    button.replaceChildren(glyph(name));
  }
  set(button, "aria-label", label);
  set(button, "title", label);
};

const drawUpcoming = () => {
  const { item, count } = player.upcoming();
  const key = item ? `${item.clip?.id ?? "new"} ${item.held} ${count}` : count ? `${count}` : "";
  if (parts.upcoming.dataset.key === key) return;
  parts.upcoming.dataset.key = key;
  parts.upcoming.hidden = !item && !count;
  parts.upcoming.replaceChildren(...(item
    ? [
        el("span.word", {}, item.held ? "Ready:" : "Up next:"), " ", item.clip ? el("b", { translate: "no" }, item.clip.title) : el("b", {}, "Your new clip"),
        count > 1 ? el("span.more", {}, `+${count - 1}`) : "",
        el("button.now", { type: "button", onclick: () => player.playNext(item) }, "Play now"),
        press("close", "Do not play it", () => player.forget(item)),
      ]
    : [el("span.word", {}, "To come:"), " ", el("b", {}, String(count)), " ", el("span", {}, count === 1 ? "clip" : "clips")]));
};

export const drawBar = () => {
  if (!parts) return;
  const { clip, playing, at, length, live, waiting, loading, refused, loop } = player.now();
  const any = clip !== null || playing || live || loading || player.upcoming().item !== null;
  box.hidden = !any;
  document.body.classList.toggle("playing-refused", refused);
  if (!any) return;
  face(parts.play, playing ? "pause" : "play", playing ? "Pause" : "Play");
  set(parts.title, "translate", clip ? "no" : "yes");
  text(parts.title, clip?.title ?? (live || loading ? "Your new clip" : ""));
  text(parts.note, refused ? "Press Play to listen" : waiting ? "Waiting for more sound" : loading ? "Loading" : live ? "Still being made" : "");
  const facing = `${clip?.id} ${clip?.title}`;
  if (facing !== shown) {
    shown = facing;
    parts.facts.replaceChildren(...(clip ? facts(clip) : []));
  }
  text(parts.length, live && !clip ? "…" : clock(length));
  set(parts.seek, "max", String(Math.max(0.01, length).toFixed(2)));
  if (!held) {
    parts.seek.value = at.toFixed(2);
    text(parts.at, clock(at));
  }
  parts.seek.style.setProperty("--share", `${length > 0 ? (100 * Number(parts.seek.value)) / length : 0}%`);
  set(parts.seek, "aria-valuetext", `${clock(at)} of ${clock(length)}`);
  set(parts.loop, "aria-pressed", String(loop));
  for (const [button, pressed, label] of [[parts.like, clip?.liked === 1, "Like"], [parts.keep, clip?.kept === true, "Keep in the library"]]) {
    set(button, "aria-pressed", String(pressed));
    set(button, "aria-label", label);
    button.disabled = !clip;
  }
  face(parts.mute, heard.muted || heard.volume === 0 ? "quiet" : "loud", heard.muted ? "Sound on" : "Sound off");
  if (document.activeElement !== parts.volume) parts.volume.value = heard.volume;
  drawUpcoming();
};

export const startBar = () => {
  box = $("#player-bar");
  build();
  box.hidden = true;
  new ResizeObserver(() => document.documentElement.style.setProperty("--player", `${box.hidden ? 0 : box.offsetHeight}px`)).observe(box);
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(target) || document.querySelector("dialog[open]")) return;
    if (event.key === " " && !target?.closest("button, a, summary, label, input[type=checkbox], input[type=radio], [role=tab], [role=menuitem], [role=option]")) {
      event.preventDefault();
      player.toggle();
      return;
    }
    const does = { m: mute, l: like, n: () => player.next() }[event.key.toLowerCase()];
    if (does && !event.shiftKey && !target?.closest(".clip")) does();
  });
  addKeys("Player", [["Space", "Play or pause"], ["← →", "Move through the clip, on its position or its waveform"], ["N", "Next clip"], ["M", "Sound off and on"], ["L", "Like what plays"]]);
  addKeys("Studio", [["Ctrl + Enter", "Generate"], ["?", "Show this list"]]);
  startKeys();
  drawBar();
};
