// Takes side by side, variations of a clip, and the way between two clips.
import { $, asked, clock, emit, make, on, say, toast, unask } from "./bus.js";
import { play } from "./player.js";
import { clips } from "./routes.js";

const SEEDS = 1_000_000;
const VARIATIONS = 4;
const PREVIEW_BARS = 4;
const OTHERS = 40;
let shown = null;
let takes = [];
let playing = { clip: null, playing: false, at: 0 };

const element = (tag, { className = "", text = "", ...rest } = {}, ...children) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(rest)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const button = (text, act, { className = "", id = "", label = "" } = {}) => {
  const made = element("button", { className, text, type: "button" });
  if (id) made.id = id;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
};
const complain = (error) => { if (error.message !== "stopped") toast(error.message); };

// How many of the asked values are heard within a tenth; tempo within four percent.
const obeyed = ({ asked: wanted, heard }) => {
  let inside = 0;
  let told = 0;
  for (const [name, value] of Object.entries(wanted)) {
    const found = heard[name];
    if (value === null || found === null || found === undefined) continue;
    told += 1;
    const near = name === "tempo" ? Math.abs(found / value - 1) <= 0.04 : typeof value === "number" ? Math.abs(found - value) <= 0.1 : found === value;
    if (near) inside += 1;
  }
  return `${inside} of ${told} inside tolerance`;
};

const show = (clip) => make({ action: "open", clip: clip.id }, { to: "stage" }).catch(complain);

const card = (take, number) => {
  const playingNow = playing.playing && playing.clip?.id === take.id;
  // All takes have one tempo and length: another one goes on where this one is, so that they can be compared.
  const at = playing.clip && takes.some((other) => other.id === playing.clip.id) ? playing.at : 0;
  const sound = button(playingNow ? "Playing" : "Play", () => play(take, { at }), { className: "play-take", label: `Play take ${number + 1}` });
  sound.setAttribute("aria-pressed", String(playingNow));
  const wave = element("div", { className: "take-wave", "aria-hidden": "true" });
  fetch(`studio/clips/${take.id}/figures/waveform`)
    .then((answer) => (answer.ok ? answer.text() : ""))
    .then((html) => {
      const drawing = new DOMParser().parseFromString(html, "text/html").querySelector("svg");
      if (drawing) wave.replaceChildren(drawing);
    });
  return element(
    "li",
    { className: `take${playingNow ? " sounding" : ""}` },
    element("header", {}, element("b", { text: `Take ${number + 1}` }), element("span", { text: clock(take.seconds) })),
    wave,
    element("p", { className: "hint", text: obeyed(take) }),
    element("div", { className: "take-buttons" }, sound, button("Keep this one", () => keep(take), { className: "keep-take", label: `Keep take ${number + 1}` })),
  );
};

const keep = async (take) => {
  try {
    await clips.keep(take.id, true);
    emit("library");
    await show(take);
    toast("Kept in your library.");
  } catch (error) {
    complain(error);
  }
};

const draw = () => {
  const box = $("#takes-app");
  if (!box) return;
  const waiting = asked("takes");
  if (!takes.length && !waiting) {
    box.replaceChildren();
    return;
  }
  const cards = takes.map(card);
  for (let more = 0; more < waiting; more += 1) cards.push(element("li", { className: "take empty-take" }, element("p", { className: "hint", text: "Still being made" })));
  box.replaceChildren(
    element(
      "section",
      { className: "card", "aria-label": "Takes to compare" },
      element("header", { className: "takes-head" }, element("h2", { text: "Takes to compare" }), button("Put away", () => { unask("takes"); takes = []; draw(); }, { className: "quiet", id: "put-away" })),
      element("ol", { className: "takes" }, ...cards),
    ),
  );
};

// Vary: four clips near the one that is shown.
const varyPanel = () => {
  const amount = element("input", { type: "range", min: "0.05", max: "1", step: "0.05", value: "0.3", id: "vary-amount", "aria-describedby": "vary-words" });
  const words = element("output", { id: "vary-words", text: "noticeably different" });
  amount.addEventListener("input", () => {
    const value = Number(amount.value);
    words.textContent = value < 0.15 ? "a few notes differ" : value < 0.35 ? "noticeably different" : value < 0.7 ? "the same idea" : "another piece in this style";
  });
  const go = button("4 variations", async () => {
    takes = [];
    const orders = Array.from({ length: VARIATIONS }, () =>
      make({ action: "vary", clip: shown.id, amount: Number(amount.value), seed: Math.floor(Math.random() * SEEDS) }, { to: "takes" }),
    );
    draw();
    $("#takes-app").scrollIntoView({ behavior: "smooth", block: "nearest" });
    try {
      await Promise.all(orders);
    } catch (error) {
      unask("takes");
      complain(error);
    }
    draw();
  }, { id: "vary", className: "makes" });
  return element("fieldset", { className: "bench-panel" }, element("legend", { text: "Vary" }), element("label", { for: "vary-amount", text: "How far from this clip" }), amount, words, go);
};

// Morph: one slider between this clip and another one; each place is heard at once, in a few bars.
const morphPanel = () => {
  const others = element("select", { id: "morph-other" });
  const mix = element("input", { type: "range", min: "0", max: "1", step: "0.125", value: "0.5", id: "morph-mix", "aria-describedby": "morph-words" });
  const words = element("output", { id: "morph-words", text: "half and half" });
  const heard = new Map();
  let wanted = "";
  const request = (bars) => ({ action: "morph", a: shown.id, b: others.value, mix: Number(mix.value), bars });
  const preview = async () => {
    if (!others.value) return;
    const order = request(PREVIEW_BARS);
    const name = JSON.stringify(order);
    wanted = name;
    unask("morph");
    try {
      if (!heard.has(name)) heard.set(name, await make(order, { to: "morph" }));
      if (wanted === name) play(heard.get(name), { at: 0, now: true });
    } catch (error) {
      complain(error);
    }
  };
  mix.addEventListener("input", () => {
    const percent = Math.round(100 * Number(mix.value));
    words.textContent = percent === 50 ? "half and half" : percent < 50 ? `${100 - percent} % this clip` : `${percent} % the other`;
  });
  mix.addEventListener("change", preview);
  others.addEventListener("change", preview);
  const fill = async () => {
    const chosen = others.value;
    try {
      const { clips: known } = await clips.list({ size: OTHERS });
      others.replaceChildren(element("option", { value: "", text: "Choose a clip" }), ...known.filter((clip) => clip.id !== shown?.id).map((clip) => element("option", { value: clip.id, translate: "no", text: `${clip.title}, ${Math.round(clip.tempo)} BPM` })));
      others.value = known.some((clip) => clip.id === chosen) ? chosen : "";
    } catch { /* the library says so itself */ }
  };
  others.addEventListener("focus", fill);
  on("library", fill);
  on("clip", fill);
  fill();
  const whole = button("Make the whole clip", () => {
    if (others.value) make(request(null), { to: "stage" }).catch(complain);
    else toast("Choose the other clip first.");
  }, { id: "morph-whole", className: "makes" });
  return element(
    "fieldset",
    { className: "bench-panel" },
    element("legend", { text: "Morph" }),
    element("label", { for: "morph-other", text: "Into" }),
    others,
    element("label", { for: "morph-mix", text: "How far" }),
    mix,
    words,
    element("p", { className: "hint", text: "Let go of the slider to hear four bars of that place." }),
    whole,
  );
};

export const start = () => {
  const box = $("#workbench");
  if (box) box.replaceChildren(element("div", { className: "bench-panels" }, varyPanel(), morphPanel()));
  on("clip", ({ clip, to, token }) => {
    if (to === "stage") shown = clip;
    if (to !== "takes") return;
    if (token === "take-0") takes = [];
    takes = [...takes.filter((take) => take.id !== clip.id), clip];
    say("A take is ready.");
    queueMicrotask(draw); // once its order is off the list
  });
  on("player", (state) => {
    const turned = state.clip?.id !== playing.clip?.id || state.playing !== playing.playing;
    playing = state;
    if (turned) draw();
  });
};
