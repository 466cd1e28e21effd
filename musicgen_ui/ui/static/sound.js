// The one way out for sound: context, volume, meter, and decoded files.
import { store } from "./bus.js";

export const RATE = 44100;
/** Seconds in which one sound takes over from another that says the same. */
export const FADE = 0.015;
/** Seconds between an order and its sound: time to schedule it. */
export const LEAD = 0.09;

const KEPT = 3;
const SMOOTH = 0.02;

let context = null;
let master = null;
let meter = null;
let scope = null;
let volume = Math.min(1, Math.max(0, Number(store.get("volume") ?? 1)));
let muted = false;

const level = () => (muted ? 0 : volume ** 2);

/** The audio context; made at the first use. Its rate is that of the clips: resampling would blur what is cut and joined. */
export const audio = () => {
  if (!context) {
    context = new AudioContext({ sampleRate: RATE, latencyHint: "playback" });
    master = context.createGain();
    master.gain.value = level();
    meter = context.createAnalyser();
    meter.fftSize = 2048;
    scope = new Float32Array(meter.fftSize);
    master.connect(meter).connect(context.destination);
  }
  return context;
};
export const output = () => { audio(); return master; };

/** Lets sound out; false where the browser wants a press first. */
export const wake = async () => {
  const out = audio();
  if (out.state === "running") return true;
  // Without a press the promise stays open for ever.
  await Promise.race([out.resume().catch(() => null), new Promise((done) => setTimeout(done, 400))]);
  return out.state === "running";
};

/** Root mean square of what went out last, 0 to 1. */
export const loudness = (of = null) => {
  const node = of ?? (audio(), meter);
  const values = node.fftSize === scope?.length ? scope : new Float32Array(node.fftSize);
  node.getFloatTimeDomainData(values);
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
};

export const heard = { get volume() { return volume; }, get muted() { return muted; } };
export const setVolume = (value) => {
  volume = Math.min(1, Math.max(0, value));
  muted = false;
  store.set("volume", String(volume));
  if (master) master.gain.setTargetAtTime(level(), context.currentTime, SMOOTH);
};
export const setMuted = (value) => {
  muted = value;
  if (master) master.gain.setTargetAtTime(level(), context.currentTime, SMOOTH);
};

// Decoded files: a minute of stereo takes 21 MB, so only a few stay.
const decoded = new Map();
const fetched = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.error ?? "This clip's sound cannot be had.");
  return audio().decodeAudioData(await answer.arrayBuffer());
};
export const load = (url) => {
  const known = decoded.get(url);
  decoded.delete(url);
  const buffer = known ?? fetched(url);
  decoded.set(url, buffer);
  buffer.catch(() => decoded.delete(url));
  while (decoded.size > KEPT) decoded.delete(decoded.keys().next().value);
  return buffer;
};
export const loaded = () => decoded.size;

export const clipUrl = (clip) => `studio/clips/${clip.id}/clip.wav`;
