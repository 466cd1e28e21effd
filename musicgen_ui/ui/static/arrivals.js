// Clips that were ordered come in: their first sound while they are made, then the file.
import { on } from "./bus.js";
import { settings, sounds } from "./order.js";
import { air, complete, idle, place } from "./player.js";
import { openTape } from "./tape.js";

const LIVE = ["stage", "morph", "radio"];
let pending = null;

const arrive = (item) => {
  const staged = item.to === "stage";
  const held = staged && settings.policy === "press";
  if (item.to === "morph" || (staged && settings.policy === "once") || (idle() && !held)) {
    air(item);
    return;
  }
  item.held = held;
  item.crossfades = !staged;
  place(item, staged);
};

export const startArrivals = () => {
  on("stream", ({ url, to }) => {
    pending = null;
    if (!LIVE.includes(to)) return;
    const item = { clip: null, tape: null, to };
    pending = item;
    item.tape = openTape(url, () => { if (!item.clip) arrive(item); });
  });
  on("clip", ({ clip, to }) => {
    const item = pending?.to === to ? pending : null;
    pending = null;
    if (item) item.clip = clip;
    if (item && sounds(item)) complete(item);
    else if (to === "stage" || to === "morph") arrive({ clip, to });
  });
};
