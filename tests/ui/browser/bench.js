// The player without the rest of the page: streams under the test's control, clips whose every sample is known, and a
// recorder of what goes out. Left is a sine and right its cosine, so that level and place can be read at every sample.
import "./studio/static/desk.js";
import * as bus from "./studio/static/bus.js";
import * as figures from "./studio/static/figures.js";
import * as mixer from "./studio/static/mixer.js";
import * as player from "./studio/static/player.js";
import { setVolume } from "./studio/static/sound.js";

const RATE = 44100;
const made = new Map();
const streams = new Map();
const asked = [];
const events = [];
const recorded = { left: [], right: [] };

const wav = (pairs) => {
  const data = new DataView(new ArrayBuffer(44 + pairs.length * 2));
  const words = (at, text) => [...text].forEach((letter, i) => data.setUint8(at + i, letter.charCodeAt(0)));
  words(0, "RIFF"); data.setUint32(4, 36 + pairs.length * 2, true); words(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 2, 2], [24, RATE, 4], [28, RATE * 4, 4], [32, 4, 2], [34, 16, 2]].forEach(([at, value, size]) =>
    size === 4 ? data.setUint32(at, value, true) : data.setUint16(at, value, true));
  words(36, "data"); data.setUint32(40, pairs.length * 2, true);
  pairs.forEach((value, i) => data.setInt16(44 + 2 * i, value, true));
  return data.buffer;
};
const pairs = (begin, count, hertz, level) => {
  const values = new Int16Array(2 * count);
  for (let i = 0; i < count; i += 1) {
    const angle = (2 * Math.PI * hertz * (begin + i)) / RATE;
    values[2 * i] = Math.round(32767 * level * Math.sin(angle));
    values[2 * i + 1] = Math.round(32767 * level * Math.cos(angle));
  }
  return values;
};
const frame = (begin, values) => {
  const data = new Uint8Array(8 + values.byteLength);
  new DataView(data.buffer).setUint32(0, begin, true);
  new DataView(data.buffer).setUint32(4, values.length / 2, true);
  data.set(new Uint8Array(values.buffer), 8);
  return data;
};

const real = window.fetch.bind(window);
window.fetch = async (path, options = {}) => {
  asked.push(`${options.method ?? "GET"} ${path}`);
  const stream = /^studio\/stream\/(.+)$/.exec(path);
  if (stream) return new Response(new ReadableStream({ start: (control) => streams.set(stream[1], control) }));
  const clip = /^studio\/clips\/(.{22})\/clip\.wav$/.exec(path);
  if (clip && made.has(clip[1])) return new Response(made.get(clip[1]));
  if (/^studio\/clips\/tone-.*\/figures\//.test(path)) return new Response('<figure><div class="picture"></div></figure>');
  if (clip || !/^studio\/library\/clips\/tone/.test(path)) return real(path, options);
  return Response.json({});
};
for (const name of ["player-ended", "player-skipped"]) bus.on(name, ({ clip }) => events.push(`${name} ${clip.title}`));

const TAP = `registerProcessor("tap", class extends AudioWorkletProcessor {
  process([input]) { if (input.length) this.port.postMessage([input[0].slice(), (input[1] ?? input[0]).slice()]); return true; }
});`;

window.bench = {
  bus, player, figures, asked, events,
  /** A clip whose file is a tone, `seconds` long. */
  tone(title, { seconds = 1, hertz = 220, level = 0.5, loop = false } = {}) {
    const id = `tone-${title}`.replaceAll(" ", "-").padEnd(22, "-").slice(0, 22);
    made.set(id, wav(pairs(0, Math.round(seconds * RATE), hertz, level)));
    return { id, title, seconds, tempo: 120, metre: "4/4", bars: 1, key: "A minor", genre: null, loop, liked: 0, kept: false, parts: {}, recipe: {} };
  },
  stream: (name, to = "stage") => bus.emit("stream", { url: `studio/stream/${name}`, to }),
  /** A piece of a tone, from `from` to `until` seconds. */
  piece(name, from, until, { hertz = 220, level = 0.5 } = {}) {
    const begin = Math.round(from * RATE);
    const data = frame(begin, pairs(begin, Math.round(until * RATE) - begin, hertz, level));
    // In two halves that end within a frame, as networks do.
    streams.get(name).enqueue(data.slice(0, 1001));
    streams.get(name).enqueue(data.slice(1001));
  },
  end: (name) => streams.get(name).close(),
  clip: (clip, to = "stage") => bus.emit("clip", { clip, to }),
  async record() {
    const context = window.studio.player.context();
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([TAP], { type: "text/javascript" })));
    const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0, channelCount: 2, channelCountMode: "explicit" });
    tap.port.onmessage = ({ data: [left, right] }) => { recorded.left.push(...left); recorded.right.push(...right); };
    window.studio.player.output().connect(tap);
  },
  /** What went out between its first and its last sound: level at every sample, and how far its place is off a tone's. */
  heard(hertz = 220, edge = 0.03) {
    const { left, right } = recorded;
    const level = left.map((value, i) => Math.hypot(value, right[i]));
    const first = level.findIndex((value) => value > 0.1) + Math.round(edge * RATE);
    const last = level.length - 1 - [...level].reverse().findIndex((value) => value > 0.1) - Math.round(edge * RATE);
    let [least, most, step, slip] = [9, 0, 0, 0];
    const turn = (i) => Math.atan2(left[i], right[i]) - (2 * Math.PI * hertz * (i - first)) / RATE;
    const start = turn(first);
    for (let i = first; i < last; i += 1) {
      least = Math.min(least, level[i]);
      most = Math.max(most, level[i]);
      step = Math.max(step, Math.abs(left[i + 1] - left[i]), Math.abs(right[i + 1] - right[i]));
      if (level[i] > 0.05) slip = Math.max(slip, Math.abs(Math.atan2(Math.sin(turn(i) - start), Math.cos(turn(i) - start))));
    }
    return { least, most, step, slip: (slip * RATE) / (2 * Math.PI * hertz), seconds: (last - first) / RATE };
  },
};

for (const module of [player, figures, mixer]) module.start();
setVolume(1);
document.body.dataset.ready = "yes";
