// The radio: keeps one clip playing and the next one being made, until somebody stops it.
import { asked, emit, make, on, unask } from "./bus.js";
import * as player from "./player.js";

const WAITS = [4, 8, 15, 30, 60]; // seconds before another try
const AHEAD = 1;

const mine = new Map(); // what this radio made, by id
let wanted = false;
let held = false; // paused by the person
let eager = false; // somebody waits for the first sound: it may cut off what else plays
let ended = false; // the last clip came to its end, and nobody paused it
let coming = []; // made, and not heard yet
let failures = 0;
let retry = 0;
let trouble = "";
let sounding = null;
let played = false;

/** What the radio does: {on, held, clip, coming, making, trouble}. */
export const state = () => ({ on: wanted, held, clip: sounding, coming: coming[0] ?? null, making: asked("radio") > 0, trouble });
const tell = () => emit("radio", state());

const begin = (clip) => {
  const { item } = player.upcoming();
  if (item?.clip?.id === clip.id) player.forget(item);
  player.play(clip);
};
const hears = (clip) => {
  coming = coming.filter((each) => each.id !== clip.id);
  [sounding, eager, ended] = [clip, false, false];
};

const feed = async () => {
  clearTimeout(retry);
  if (!wanted || held || coming.length >= AHEAD || asked("radio") > 0) return;
  const order = make({ action: "radio" }, { to: "radio" });
  tell();
  try {
    const clip = await order;
    [failures, trouble] = [0, ""];
    mine.set(clip.id, clip);
    emit("radio-made", { clip });
    if (player.current()?.id === clip.id) hears(clip);
    else {
      coming.push(clip);
      if (wanted && !held && (eager || !player.now().playing)) begin(clip);
      else player.enqueue(clip);
    }
  } catch (error) {
    if (error.message === "stopped") held = wanted; // Stop was pressed: it means this too
    else {
      trouble = error.message;
      retry = setTimeout(feed, 1000 * WAITS[Math.min(failures, WAITS.length - 1)]);
      failures += 1;
    }
  }
  tell();
  if (!trouble) feed();
};

/** Starts, or goes on after a pause. */
export const go = () => {
  [wanted, held, trouble] = [true, false, ""];
  const { clip, playing } = player.now();
  if (sounding && clip?.id === sounding.id && !ended) {
    if (!playing) player.toggle();
  } else if (coming[0]) begin(coming[0]);
  else eager = true;
  tell();
  feed();
};

/** Pauses the music and the making. */
export const hold = () => {
  held = true;
  unask("radio");
  if (player.now().playing && mine.has(player.current()?.id)) player.toggle();
  tell();
};

/** The end: what plays stops, and nothing more is made. */
export const stop = () => {
  hold();
  [wanted, held] = [false, false];
  tell();
};

/** The next clip now; where it is not there yet, silence until it is. */
export const skip = () => {
  if (!wanted) return;
  held = false;
  if (player.upcoming().item) player.next();
  else {
    eager = true;
    ended = true;
    if (player.now().playing) player.toggle();
  }
  tell();
  feed();
};

export const startRadio = () => {
  on("player-ended", () => { ended = true; });
  on("player", ({ clip, playing, loading }) => {
    const before = `${sounding?.id} ${held}`;
    const own = clip ? mine.get(clip.id) : null;
    if (playing) {
      if (own) { hears(own); held = false; }
      else if (clip) sounding = null;
      ended = false;
    } else if (played && wanted && !loading && !ended) held = true; // the player's own button
    played = playing;
    if (before !== `${sounding?.id} ${held}`) {
      tell();
      feed();
    }
  });
  on("clip-changed", ({ clip }) => {
    if (mine.has(clip.id)) mine.set(clip.id, clip);
    if (sounding?.id === clip.id) { sounding = clip; tell(); }
  });
};
