// The time axis under the waveform: bars above, seconds below, as many as have room.
import { clock } from "./bus.js";
import { svg } from "./dom.js";

const BAR_ROOM = 34;
const CLOCK_ROOM = 56;
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];

const told = (at, step) => (step < 1 ? `${clock(at)}.${Math.round((at % 1) * 10)}` : clock(at));

/** Draws what is in view of a clip: `scale` in pixels a second, from `left` pixels on, `view` pixels wide. */
export const drawRuler = (ruler, clip, scale, left, view) => {
  const long = clip.seconds;
  const [from, until] = [Math.max(0, (left - 60) / scale), Math.min(long, (left + view + 60) / scale)];
  const lines = [];
  const bar = long / clip.bars;
  const every = [1, 2, 4, 8, 16, 32, 64].find((count) => count * bar * scale >= BAR_ROOM) ?? 128;
  for (let number = Math.floor(from / bar); number * bar <= until + 0.001 && number < clip.bars; number += 1) {
    if (number < 0 || number % every) continue;
    const x = (number * bar * scale).toFixed(1);
    lines.push(svg("line", { x1: x, x2: x, y1: 0, y2: 14, class: "bar" }));
    lines.push(svg("text", { x: Number(x) + 4, y: 12, class: "bar" }, String(number + 1)));
  }
  const step = STEPS.find((each) => each * scale >= CLOCK_ROOM) ?? 600;
  for (let at = Math.ceil(from / step) * step; at <= until; at += step) {
    const x = (at * scale).toFixed(1);
    lines.push(svg("line", { x1: x, x2: x, y1: 17, y2: 22 }));
    lines.push(svg("text", { x: Number(x) + 4, y: 29 }, told(at, step)));
  }
  ruler.setAttribute("width", String(Math.ceil(long * scale)));
  ruler.setAttribute("height", "32");
  ruler.replaceChildren(...lines);
};
