// Where the controls stand is remembered a moment after they were moved.
import { $ } from "./bus.js";

const PAUSE = 500;

export const start = () => {
  let waiting = 0;
  const soon = (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#desk")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => $("#do-remember")?.click(), PAUSE);
  };
  for (const kind of ["input", "change", "click", "pointerup", "keyup"]) document.addEventListener(kind, soon, true);
};
