// A stretch of a sound, chosen by two handles on its picture; by keyboard too.
import { clock } from "./bus.js";
import { el, svg } from "./dom.js";

const LEAST = 2; // a shorter one says too little
const STEP = 0.1;

/** `{box, value()}`: value gives [begin, end] in seconds. */
export const stretch = ({ seconds, peaks, begin, end, most }) => {
  const handle = (side, value) => el("input", { type: "range", min: 0, max: seconds.toFixed(2), step: STEP, value, "aria-label": side, "aria-valuetext": clock(value) });
  const [from, to] = [handle("Begin", begin), handle("End", end)];
  const says = el("output", {});
  const bars = (peaks ?? []).map((peak, i) => {
    const height = Math.max(1.5, 44 * peak);
    return svg("rect", { x: i * 3 + 0.5, y: (48 - height) / 2, width: 2, height, rx: 1 });
  });
  const picture = svg("svg", { viewBox: `0 0 ${Math.max(1, bars.length) * 3} 48`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...bars);
  const box = el("div.stretch", { role: "group", "aria-label": "Which stretch of it" }, el("div.rail", {}, picture, el("i", {}), from, to), el("p.hint", {}, says));
  const value = () => [Number(from.value), Number(to.value)];
  const draw = () => {
    const [a, b] = value();
    box.style.setProperty("--a", `${(100 * a) / seconds}%`);
    box.style.setProperty("--b", `${(100 * b) / seconds}%`);
    from.setAttribute("aria-valuetext", clock(a));
    to.setAttribute("aria-valuetext", clock(b));
    says.replaceChildren(el("b", {}, `${clock(a)} – ${clock(b)}`), " ", el("span", {}, `of ${clock(seconds)}`));
  };
  const least = Math.min(LEAST, seconds);
  from.addEventListener("input", () => {
    const [a, b] = value();
    if (a > b - least) from.value = Math.max(0, b - least);
    if (b - a > most) to.value = a + most;
    draw();
  });
  to.addEventListener("input", () => {
    const [a, b] = value();
    if (b < a + least) to.value = Math.min(seconds, a + least);
    if (b - a > most) from.value = b - most;
    draw();
  });
  draw();
  return { box, value };
};
