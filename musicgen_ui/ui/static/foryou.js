// The room For you: a radio that makes what it plays, learns from what one says of it, and tells what it has learned.
import { $, on } from "./bus.js";
import { el, ground, icon, knob, svg, typing } from "./dom.js";
import { clipCard, keep, like } from "./clipcards.js";
import { facts } from "./clipwords.js";
import { addKeys } from "./keys.js";
import * as player from "./player.js";
import * as radio from "./radio.js";
import { sleeve } from "./sleeve.js";
import { drawTaste, reasonFor, speakers } from "./tastepanel.js";

const HEARD = 12;
const AROUND = 2 * Math.PI * 97;
const GROOVES = [90, 84, 78, 72, 66, 60, 54, 48];

let parts = null;
let heard = []; // the clips that played, the last one first
const reasons = new Map();
let drawn = "";

const record = () => {
  const label = svg("g", { class: "label", "clip-path": "url(#radio-label)" });
  const around = svg("circle", { class: "around", cx: 100, cy: 100, r: 97, "stroke-dasharray": `0 ${AROUND}`, transform: "rotate(-90 100 100)" });
  const disc = svg("g", { class: "disc" },
    svg("circle", { class: "vinyl", cx: 100, cy: 100, r: 92 }),
    ...GROOVES.map((r) => svg("circle", { class: "groove", cx: 100, cy: 100, r })),
    svg("path", { class: "shine", d: "M100 100L34 36A92 92 0 0 1 70 13zM100 100L166 164A92 92 0 0 1 130 187z" }),
    label,
    svg("circle", { class: "hole", cx: 100, cy: 100, r: 3.2 }));
  const clip = svg("clipPath", { id: "radio-label" }, svg("circle", { cx: 100, cy: 100, r: 42 }));
  return { box: svg("svg", { class: "record", viewBox: "0 0 200 200", "aria-hidden": "true" }, clip, svg("circle", { class: "track", cx: 100, cy: 100, r: 97 }), around, disc), label, around };
};

const dislike = (clip) => {
  like(clip, -1);
  if (clip.liked !== -1) radio.skip();
};

const build = () => {
  const turning = record();
  const big = (name, words, key, onclick) => el(`button.verb.${name}`, { type: "button", onclick, "aria-keyshortcuts": key, title: `${words} (${key})` }, icon(name), el("span", {}, words), el("kbd", { "aria-hidden": "true" }, key));
  const now = () => radio.state().clip;
  parts = {
    turning,
    state: el("p.on-air", { role: "status" }),
    title: el("h3", {}),
    facts: el("p.facts", {}),
    why: el("div.why", { "aria-live": "polite" }),
    start: el("button.start", { type: "button", onclick: radio.go }, icon("play"), el("span", {}, "Start the radio")),
    verbs: el("div.verbs", { role: "group", "aria-label": "What plays" },
      big("dislike", "Dislike", "D", () => now() && dislike(now())),
      big("pause", "Pause", "Space", () => (radio.state().held ? radio.go() : radio.hold())),
      big("skip", "Skip", "S", radio.skip),
      big("like", "Like", "L", () => now() && like(now(), 1))),
    keep: knob("heart", "Keep", () => now() && keep(now()), { className: "knob keep", "aria-pressed": "false" }),
    end: el("button.plain", { type: "button", onclick: radio.stop }, "Switch the radio off"),
    next: el("p.next", {}),
    before: el("ol.before", { "aria-label": "What the radio played" }),
    beforeBox: el("section.card.played", { hidden: true }, el("h3", {}, "Played before")),
    taste: el("section.card.taste", { "aria-label": "What the studio believes you like" }),
  };
  parts.beforeBox.append(parts.before);
  ground("foryou-app").append(
    el("header.room-head", {}, el("h2", {}, "For you"), el("p.hint", {}, "A radio that makes its music for you, and learns")),
    el("div.radio-room", {},
      el("div.radio-side", {},
        el("section.card.turntable", { "aria-label": "Radio" }, turning.box,
          el("div.playing", {}, parts.state, el("div.named", {}, parts.title, parts.keep), parts.facts, parts.why, parts.start, parts.verbs, el("div.below", {}, parts.next, parts.end))),
        parts.beforeBox),
      parts.taste),
  );
};

/** Why this clip: from the studio's own words. */
const whyBox = (reason) => {
  if (!reason) return [];
  const { why } = reason;
  const sign = reason.reason === "taste" ? "like" : reason.reason === "new" ? "star" : "radio";
  return [icon(sign), el("p", {}, el("span", {}, why.lead), why.words.length ? " " : null, ...why.words.flatMap((word, i) => [i ? ", " : null, el("b", {}, word)])), speakers(why.clips)];
};

const draw = async () => {
  const now = radio.state();
  const { clip } = now;
  const room = $("#foryou-app");
  room.dataset.radio = !now.on ? "off" : now.held ? "held" : clip ? "plays" : "begins";
  room.dataset.sounds = clip?.id ?? "";
  const words = !now.on ? "" : now.held ? "Paused" : clip ? "On air" : player.now().live ? "On air, while it is still being written" : "The first clip is being made…";
  if (parts.state.textContent !== words) parts.state.textContent = words;
  parts.start.hidden = now.on;
  parts.verbs.hidden = parts.end.hidden = !now.on;
  const [pause] = parts.verbs.querySelectorAll(".pause");
  pause.querySelector("span").textContent = now.held ? "Go on" : "Pause";
  pause.replaceChild(icon(now.held ? "play" : "pause"), pause.firstChild);
  parts.keep.hidden = !clip;
  parts.next.hidden = !now.on;
  parts.next.replaceChildren(
    ...(now.trouble
      ? [el("span", { role: "alert" }, now.trouble), " ", el("span", {}, "Another try follows by itself.")]
      : now.coming
        ? [el("span", {}, "Next:"), " ", el("b", { translate: "no" }, now.coming.title)]
        : now.making ? [el("span", {}, "The next one is being made…")] : []));
  for (const button of parts.verbs.querySelectorAll(".like, .dislike")) button.disabled = !clip;
  const mark = clip ? `${clip.id} ${clip.liked} ${clip.kept} ${clip.title}` : now.on ? "none" : "off";
  if (mark === drawn) return;
  drawn = mark;
  parts.title.setAttribute("translate", clip ? "no" : "yes");
  if (!clip) {
    parts.title.textContent = now.on ? "" : "Music that nobody has heard before, made for you";
    parts.facts.replaceChildren();
    parts.why.replaceChildren(...(now.on ? [] : [el("p", {}, "It begins with a tour through everything that the studio can play. Say what you like and what you do not: after a few answers it knows where to go, and still brings a surprise now and then. It plays on until you stop it.")]));
    parts.turning.label.replaceChildren();
    return;
  }
  parts.title.textContent = clip.title;
  parts.facts.replaceChildren(...facts(clip));
  parts.turning.label.replaceChildren(svg("svg", { x: 58, y: 58, width: 84, height: 84 }, sleeve(clip)));
  parts.verbs.querySelector(".like").setAttribute("aria-pressed", String(clip.liked === 1));
  parts.verbs.querySelector(".dislike").setAttribute("aria-pressed", String(clip.liked === -1));
  parts.keep.setAttribute("aria-pressed", String(clip.kept));
  parts.keep.setAttribute("aria-label", clip.kept ? "Kept: put it back into the history" : "Keep");
  parts.why.replaceChildren(...whyBox(reasons.get(clip.id)));
  if (heard[0]?.id !== clip.id) heard = [clip, ...heard.filter((each) => each.id !== clip.id)].slice(0, HEARD + 1);
  drawHeard();
};

const drawHeard = () => {
  const current = radio.state().clip?.id;
  const rows = heard.filter((clip) => clip.id !== current);
  parts.beforeBox.hidden = rows.length === 0;
  parts.before.replaceChildren(...rows.map((clip) => el("li", {}, clipCard(clip, { playIt: () => player.play(clip) }))));
};

const learnReason = async (clip) => {
  const reason = await reasonFor(clip);
  if (!reason) return;
  reasons.set(clip.id, reason);
  if (radio.state().clip?.id === clip.id) parts.why.replaceChildren(...whyBox(reason));
};

const KEYS = {
  d: () => radio.state().clip && dislike(radio.state().clip),
  s: () => radio.skip(),
  k: () => radio.state().clip && keep(radio.state().clip),
};

export const start = () => {
  build();
  radio.startRadio();
  on("radio", draw);
  on("radio-made", ({ clip }) => learnReason(clip));
  on("player", ({ clip, playing, at, length }) => {
    const own = clip && clip.id === radio.state().clip?.id;
    $("#foryou-app").classList.toggle("turns", Boolean(playing && (own || radio.state().on)));
    const share = own && length ? at / length : 0;
    parts.turning.around.setAttribute("stroke-dasharray", `${(share * AROUND).toFixed(1)} ${AROUND.toFixed(1)}`);
  });
  on("clip-changed", ({ clip }) => {
    const at = heard.findIndex((each) => each.id === clip.id);
    if (at < 0) return;
    heard[at] = clip;
    drawHeard();
  });
  on("clip-gone", ({ id }) => { heard = heard.filter((clip) => clip.id !== id); drawHeard(); });
  document.addEventListener("keydown", (event) => {
    if (document.body.dataset.room !== "foryou" || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open], .menu") || event.target.closest?.(".clip")) return;
    const does = KEYS[event.key.toLowerCase()];
    if (!does) return;
    event.preventDefault();
    does();
  });
  addKeys("For you", [["D", "Dislike and skip"], ["S", "Skip"], ["K", "Keep what plays"]]);
  drawTaste(parts.taste);
  draw();
};
