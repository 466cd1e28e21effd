// What plays now, what plays next, and how one gives way to the other.
import { api, emit, on, say, store, toast } from "./bus.js";
import { Deck } from "./deck.js";
import { startArrivals } from "./arrivals.js";
import { drawBar, startBar } from "./bar.js";
import { audio, clipUrl, load, loudness, output, wake } from "./sound.js";
import { before, following, followingNow, put, remember, sameClip, setList, settings, sounds, take, waiting, waits, upcoming } from "./order.js";
import { showToSystem } from "./system.js";

export { POLICIES, settings, upcoming } from "./order.js";

const PUMP = 125;
const PREPARE = 6;
const SWITCH = 0.06;
const BACK = 3;
const ENOUGH = 30;
const NEVER = 1e9;

let deck = null;
let armed = null;
let parting = null;
let refused = false;
let loading = null;
let wishes = store.get("loop") === "yes";
let orders = 0;
const stems = new Map();

const turns = () => wishes || (deck?.clip?.loop === true && !deck.once);
export const idle = () => !deck?.playing && !loading;

/** What sounds: {clip, playing, at, length, live, waiting, loading, refused}. */
export const now = () => ({
  clip: deck?.clip ?? null,
  playing: deck?.playing === true,
  // The ear is behind the clock by the way through the sound card.
  at: deck ? Math.max(0, deck.now(audio().currentTime - (deck.playing ? audio().outputLatency || 0 : 0))) : 0,
  length: deck?.clip && !deck.complete ? Math.max(deck.clip.seconds, deck.length) : deck?.length ?? 0,
  live: deck !== null && !deck.complete,
  waiting: deck !== null && !deck.complete && deck.playing && deck.dry(audio().currentTime),
  loading: loading !== null,
  refused,
  loop: turns(),
});
export const current = () => deck?.clip ?? null;
const tell = () => {
  emit("player", now());
  showToSystem(now());
  drawBar();
};

const report = (clip, kind, at) =>
  api(`studio/library/clips/${clip.id}/${kind}`, { method: "POST", body: { at: Math.round(10 * at) / 10 } }).then(() => emit("counted", { clip }), () => null);

/** The clip's file for a deck, or its stems where they are open: wherever the deck is, it goes on from there. */
const supply = async (one) => {
  const parts = stems.get(one.clip.id);
  if (!parts) {
    one.use([{ buffer: await load(clipUrl(one.clip)), into: one.gain }]);
    return;
  }
  for (const { out } of parts) { out.disconnect(); out.connect(one.gain); }
  one.use(parts);
};
const handOver = async (one) => {
  try {
    await supply(one);
    one.repeat(one === deck && turns());
    tell();
  } catch (error) {
    one.lost = true;
    toast(error.message);
  }
};
const ready = async (item) => {
  const live = sounds(item) && !item.clip;
  const made = new Deck(item.clip, live ? item.tape : null);
  if (!live) await supply(made);
  return made;
};

/** Takes back what was about to follow. */
const disarm = () => {
  parting?.leave();
  parting = null;
  if (!armed) return;
  armed.deck?.leave();
  armed = null;
  deck.fade(true, audio().currentTime, 0);
  if (deck.repeats) deck.until(NEVER);
  deck.repeat(turns());
};
const become = (next, item) => {
  if (deck?.clip && !item.back && !sameClip(deck.clip, next.clip)) remember(deck.clip);
  deck = next;
  take(item);
  refused = false;
  if (item.clip && !deck.clip) {
    deck.clip = item.clip;
    handOver(deck);
  }
  deck.repeat(turns());
  if (deck.clip) say(`Now playing: ${deck.clip.title}`);
  tell();
};

/** Puts an item on the air now; what played gives way within `seconds`. */
export const air = async (item, { at = 0, seconds = SWITCH } = {}) => {
  orders += 1;
  const order = orders;
  const allowing = wake();
  loading = item;
  tell();
  try {
    const next = await ready(item);
    const allowed = await allowing;
    if (order !== orders) { next.leave(); return; }
    loading = null;
    disarm();
    const old = deck;
    if (at > 0) next.seek(at);
    const time = next.soon();
    if (old?.playing) {
      old.fade(false, time, seconds);
      next.fade(true, time, seconds);
      old.leave(time + seconds);
      parting = old;
    } else old?.leave();
    if (allowed) next.play(time);
    become(next, item);
    refused = !allowed;
    tell();
  } catch (error) {
    if (order === orders) {
      loading = null;
      toast(error.message);
      take(item);
      tell();
    }
  }
};

/** Has what follows ready in time, on the audio clock: a busy or hidden page cannot delay it. */
const arm = async () => {
  const item = following();
  if (!item || wishes) return;
  const from = deck;
  armed = { deck: null, item, when: Infinity };
  const mine = armed;
  try {
    const next = await ready(item);
    if (armed !== mine || deck !== from || !deck.playing) { next.leave(); if (armed === mine) armed = null; return; }
    // What repeats by itself plays its round to the end, and gives way.
    const crossfades = item.crossfades && !deck.clip?.loop;
    const most = Math.min(deck.length, next.length || deck.length) / 3;
    const seconds = crossfades ? Math.min(settings.crossfade, most) : 0;
    const ending = deck.ending(next.soon());
    const when = Math.max(ending - seconds, next.soon());
    const long = Math.max(0, Math.min(seconds, ending - when));
    if (long > 0) {
      deck.fade(false, when, long);
      next.fade(true, when, long);
    }
    next.play(when);
    if (deck.repeats) deck.until(when);
    armed = { deck: next, item, when, old: from, until: when + long };
  } catch {
    // What cannot be had is passed over.
    take(item);
    armed = null;
  }
};

let clockBefore = 0;
const count = () => {
  const time = audio().currentTime;
  if (deck.playing && !deck.dry(time)) deck.listened += Math.max(0, Math.min(2, time - clockBefore));
  clockBefore = time;
  if (deck.counted || !deck.clip || deck.listened < Math.min(ENOUGH, deck.clip.seconds / 2)) return;
  deck.counted = true;
  report(deck.clip, "played", deck.now());
};
/** A clip that was stopped while it was made: what is there of it fades out. */
const dropStopped = () => {
  const dead = (tape, clip) => tape?.done && !clip && ["stopped", "error"].includes(document.body.dataset.state);
  for (const item of waiting().filter((each) => dead(each.tape, each.clip))) take(item);
  if (!deck || !dead(deck.tape, deck.clip)) return;
  deck.leave();
  deck = null;
  tell();
};
const pump = () => {
  dropStopped();
  if (!deck) return;
  count();
  if (armed && audio().currentTime >= armed.when) {
    const { deck: next, item, old, until } = armed;
    armed = null;
    if (old.clip) emit("player-ended", { clip: old.clip });
    old.leave(until);
    parting = old;
    become(next, item);
    return;
  }
  if (!deck.playing) return;
  if (!armed && deck.voices && deck.length - deck.now() < PREPARE + settings.crossfade) arm();
  if (deck.over && !armed?.deck) {
    armed = null;
    const clip = deck.clip;
    deck.pause();
    if (clip) emit("player-ended", { clip });
    const item = following();
    if (item) air(item, { seconds: 0 });
    else { deck.seek(0); tell(); }
    return;
  }
  tell();
};

const skipped = () => {
  if (!deck?.clip || deck.counted || deck.now() > deck.clip.seconds / 3) return;
  const at = deck.now();
  deck.counted = true;
  report(deck.clip, "skipped", at);
  emit("player-skipped", { clip: deck.clip, at });
};

/** Plays a clip now; `list` and `index` say what it stands in. The clip that sounds already goes on. */
export const play = (clip, { at = null, list: items = null, index = 0 } = {}) => {
  setList(items, index);
  if (sameClip(deck?.clip ?? null, clip) && !loading) {
    if (at !== null) seek(at);
    return deck.playing ? Promise.resolve() : toggle();
  }
  return air({ clip }, { at: at ?? 0 });
};
/** Plays a clip after the one that plays; at once where nothing does. */
export const enqueue = (clip) => {
  if (sameClip(deck?.clip ?? null, clip) || sameClip(loading?.clip ?? null, clip) || waits(clip)) return;
  const item = { clip, crossfades: true };
  put(item, false);
  if (idle()) air(item);
  else tell();
};
export const toggle = async () => {
  if (!deck) {
    const item = followingNow();
    if (item) await air(item);
    return;
  }
  if (deck.playing) {
    disarm();
    deck.pause();
  } else {
    refused = !(await wake());
    if (!refused && !deck.playing) {
      deck.fade(true, audio().currentTime, 0);
      deck.play();
    }
  }
  tell();
};
export const seek = (seconds) => {
  if (!deck) return;
  disarm();
  deck.seek(seconds);
  tell();
};
export const next = () => {
  const item = followingNow();
  if (!item) return null;
  skipped();
  return air(item);
};
export const previous = () => {
  if (!deck || deck.now() > BACK) return seek(0);
  const item = before();
  return item ? air(item) : seek(0);
};
export const toggleLoop = () => {
  const wanted = !turns();
  if (deck?.clip?.loop) deck.once = !wanted;
  if (!deck?.clip?.loop || !wanted) wishes = wanted;
  store.set("loop", wishes ? "yes" : "no");
  disarm();
  deck?.repeat(turns());
  tell();
};
export const playNext = (item) => {
  skipped();
  return air(item);
};
export const forget = (item) => { take(item); disarm(); tell(); };

/** Stems in place of the mix: [{buffer, into, out}], which add up to the clip, each through two nodes; null for the mix again. */
export const useStems = (clip, parts) => {
  if (parts) stems.set(clip.id, parts);
  else stems.delete(clip.id);
  if (!sameClip(deck?.clip ?? null, clip)) return;
  disarm();
  handOver(deck);
};

on("clip-changed", ({ clip }) => {
  for (const item of [deck, ...waiting()]) if (item && sameClip(item.clip, clip)) item.clip = { ...item.clip, ...clip };
  tell();
});

/** For arrivals.js: a clip that was ordered is put in its place, and its file takes over from its tape. */
export const place = (item, first) => {
  put(item, first);
  tell();
};
export const complete = (item) => {
  const live = [deck, armed?.deck].find((one) => one && one.tape === item.tape);
  if (live) {
    live.clip = item.clip;
    handOver(live);
  }
  tell();
};

export const start = () => {
  startBar();
  startArrivals();
  setInterval(pump, PUMP);
  // For tests and for the figures, which follow at every frame.
  window.studio.player = { level: loudness, now, context: audio, output, deck: () => deck, upcoming };
};
