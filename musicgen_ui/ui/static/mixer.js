// The stems of the clip on the stage: mute, solo and level, heard at once; and other instruments for the same notes.
import { $, api, make, on, say, toast } from "./bus.js";
import { el } from "./dom.js";
import { shownClip } from "./figures.js";
import * as player from "./player.js";
import { audio, loudness } from "./sound.js";

const PARTS = ["lead", "chords", "bass", "drums"];
const LOWEST = -24;
const HIGHEST = 6;
const MOST_SECONDS = 240;
const SMOOTH = 0.012;
const FLOOR_DB = -54;

let box = null;
let parts = null;
let strips = new Map();
let open = null;
let choices = null;
let order = 0;

const amount = (decibels) => (decibels <= LOWEST ? 0 : 10 ** (decibels / 20));
const settingOf = (clip, part) => clip.recipe?.style?.parts?.[part] ?? { on: true, level: 0, instrument: "auto" };

const apply = () => {
  const solo = [...strips.values()].some((strip) => strip.solo);
  for (const strip of strips.values()) {
    const heard = strip.muted || (solo && !strip.solo) ? 0 : amount(strip.level);
    strip.into.gain.setTargetAtTime(heard, audio().currentTime, SMOOTH);
    strip.box.classList.toggle("silent", heard === 0);
    strip.mute.setAttribute("aria-pressed", String(strip.muted));
    strip.only.setAttribute("aria-pressed", String(strip.solo));
    const told = strip.level <= LOWEST ? "−∞ dB" : `${strip.level > 0 ? "+" : strip.level < 0 ? "−" : ""}${Math.abs(strip.level).toFixed(1)} dB`;
    strip.told.textContent = told;
    strip.slider.setAttribute("aria-valuetext", told);
  }
  const changed = [...strips.values()].some((strip) => strip.level !== 0 || strip.muted || strip.solo || strip.choice.value !== strip.was);
  parts.render.disabled = !changed;
  parts.reset.disabled = !changed;
};

const stripOf = (clip, part, buffer) => {
  const out = audio();
  const strip = { part, buffer, into: out.createGain(), out: out.createAnalyser(), level: 0, muted: false, solo: false };
  strip.out.fftSize = 1024;
  strip.into.connect(strip.out);
  const name = part[0].toUpperCase() + part.slice(1);
  strip.mute = el("button.mute", { type: "button", "aria-label": `Mute ${part}`, title: `Mute ${part}`, onclick: () => { strip.muted = !strip.muted; apply(); } }, "M");
  strip.only = el("button.solo", { type: "button", "aria-label": `Solo ${part}`, title: `Solo ${part}`, onclick: () => { strip.solo = !strip.solo; apply(); } }, "S");
  strip.slider = el("input.level", { type: "range", min: LOWEST, max: HIGHEST, step: 0.5, value: 0, "aria-label": `Level of ${part}`, oninput: () => { strip.level = Number(strip.slider.value); apply(); } });
  strip.slider.addEventListener("dblclick", () => { strip.slider.value = 0; strip.level = 0; apply(); });
  strip.told = el("output.told");
  strip.meter = el("i");
  const now = clip.parts?.[part] ?? "";
  strip.choice = el("select.choice", { "aria-label": `Instrument of ${part}`, onchange: apply }, ...[...new Set([now, ...(choices?.[part] ?? [])])].filter(Boolean).map((each) => el("option", { value: each }, each)));
  strip.choice.value = now;
  strip.was = strip.choice.value;
  strip.box = el(`div.strip.${part}`, { role: "group", "aria-label": name },
    el("b", {}, name), el("div.switches", {}, strip.mute, strip.only), el("div.fader", {}, strip.slider, el("div.meter", { "aria-hidden": "true" }, strip.meter)), strip.told, strip.choice);
  return strip;
};

const draw = () => {
  if (open) {
    const playing = player.now().playing && player.current()?.id === open.id;
    for (const strip of strips.values()) {
      const decibels = playing ? 20 * Math.log10(Math.max(1e-6, loudness(strip.out))) : FLOOR_DB;
      strip.shown = Math.max((decibels - FLOOR_DB) / -FLOOR_DB, (strip.shown ?? 0) - 0.02, 0);
      strip.meter.style.transform = `scaleX(${Math.min(1, strip.shown).toFixed(3)})`;
    }
    requestAnimationFrame(draw);
  }
};

const shut = () => {
  if (!open) return;
  player.useStems(open, null);
  open = null;
  strips = new Map();
  parts.desk.replaceChildren();
  parts.body.hidden = true;
  parts.toggle.setAttribute("aria-expanded", "false");
};

const stem = async (clip, part) => {
  const answer = await api(`studio/clips/${clip.id}/stems/${part}.wav`, { raw: true });
  return audio().decodeAudioData(await answer.arrayBuffer());
};

/** What is in the clip beside its parts: the tape's noise. */
const rest = async (clip) => {
  if (!(clip.recipe?.style?.noise > 0)) return [];
  const node = audio().createGain();
  return [{ buffer: await stem(clip, "noise"), into: node, out: node }];
};

const unfold = async (clip) => {
  order += 1;
  const mine = order;
  parts.body.hidden = false;
  parts.toggle.setAttribute("aria-expanded", "true");
  if (clip.seconds > MOST_SECONDS) {
    parts.note.replaceChildren("Stems of a clip this long would take too much memory here. ", el("a", { href: `studio/clips/${clip.id}/download/stems`, download: "" }, "Download the stems"));
    parts.foot.hidden = true;
    return;
  }
  parts.note.textContent = "Loading the stems";
  parts.foot.hidden = true;
  try {
    const names = PARTS.filter((part) => part in (clip.parts ?? {}));
    choices ??= await api("studio/instruments");
    const buffers = await Promise.all(names.map((part) => stem(clip, part).catch(() => null)));
    const beside = await rest(clip);
    if (mine !== order) return;
    const there = names.map((part, i) => [part, buffers[i]]).filter(([, buffer]) => buffer);
    if (!there.length) throw new Error("The stems of this clip cannot be had.");
    strips = new Map(there.map(([part, buffer]) => [part, stripOf(clip, part, buffer)]));
    parts.desk.replaceChildren(...[...strips.values()].map((strip) => strip.box));
    parts.note.textContent = "";
    parts.foot.hidden = false;
    open = clip;
    apply();
    player.useStems(clip, [...[...strips.values()].map(({ buffer, into, out }) => ({ buffer, into, out })), ...beside]);
    say("Stems are open");
    requestAnimationFrame(draw);
  } catch (error) {
    if (mine === order) parts.note.textContent = error.message;
  }
};

/** The levels and instruments as they stand, as a style. */
const asStyle = (clip) => {
  const solo = [...strips.values()].some((strip) => strip.solo);
  const entries = PARTS.map((part) => {
    const asked = settingOf(clip, part);
    const strip = strips.get(part);
    if (!strip) return [part, { ...asked, on: false }];
    const heard = !strip.muted && (!solo || strip.solo) && strip.level > LOWEST;
    const level = Math.min(HIGHEST, Math.max(LOWEST, asked.level + strip.level));
    return [part, { on: heard, level: heard ? level : asked.level, instrument: strip.choice.value !== strip.was ? strip.choice.value : asked.instrument }];
  });
  return { parts: Object.fromEntries(entries) };
};

const render = async () => {
  const clip = open;
  const style = asStyle(clip);
  if (!Object.values(style.parts).some((part) => part.on)) { toast("Leave at least one part on."); return; }
  parts.render.disabled = true;
  try {
    await make({ action: "perform", clip: clip.id, style });
  } catch (error) {
    if (error.message !== "stopped") toast(error.message);
    if (open === clip) apply();
  }
};
const reset = () => {
  for (const strip of strips.values()) {
    Object.assign(strip, { level: 0, muted: false, solo: false });
    strip.slider.value = 0;
    strip.choice.value = strip.was;
  }
  apply();
};

export const start = () => {
  box = $("#mixer");
  parts = {
    toggle: el("button.fold", { type: "button", "aria-expanded": "false", "aria-controls": "stems", onclick: () => {
      const clip = shownClip();
      order += 1;
      if (!parts.body.hidden) { shut(); parts.body.hidden = true; parts.toggle.setAttribute("aria-expanded", "false"); } else if (clip) unfold(clip);
    } }, "Stems"),
    body: el("div.stems", { id: "stems", hidden: true }),
    note: el("p.note", { role: "status" }),
    desk: el("div.strips"),
    render: el("button.strong", { type: "button", onclick: render }, "Play these levels in the clip"),
    reset: el("button.quiet", { type: "button", onclick: reset }, "Reset"),
  };
  parts.foot = el("div.foot", { hidden: true }, parts.render, parts.reset, el("span.hint", {}, "Levels are heard at once. Instruments and levels become a new clip with the same notes."));
  parts.body.append(parts.note, parts.desk, parts.foot);
  box.append(parts.toggle, parts.body);
  on("clip", ({ clip, to }) => {
    if (to !== "stage" || open?.id === clip.id) return;
    order += 1;
    const wasOpen = !parts.body.hidden;
    shut();
    parts.body.hidden = true;
    parts.toggle.setAttribute("aria-expanded", "false");
    if (wasOpen) unfold(clip);
  });
};
