// Sheet music: pages as they are engraved, a mark that moves through the notes, and a press on a note that seeks.
import { $, $$, api } from "./bus.js";
import { el } from "./dom.js";

let pages = null;
let of = null;
let marked = [];
let times = [];

const unmark = () => {
  for (const note of marked) note.classList.remove("sounding");
  marked = [];
};

/** Puts a clip's pages into `box`; `seek` is called with the seconds of a note that is pressed. */
export const showSheet = async (box, clip, seek) => {
  box.hidden = false;
  const kind = box.clientWidth < 640 ? "sheet-narrow" : "sheet";
  const wanted = `${clip.id}/figures/${kind}`;
  if (of === wanted) return;
  of = wanted;
  unmark();
  times = [];
  box.replaceChildren(el("p.lost", {}, "Engraving the notes"));
  try {
    const html = await (await api(`studio/clips/${wanted}`, { raw: true })).text();
    if (of !== wanted) return;
    box.innerHTML = html;
    pages = $(".pages", box) ?? box;
    times = JSON.parse($("[data-times]", box)?.dataset.times ?? "[]");
    const begins = new Map(times.flatMap(([at, ids]) => ids.map((id) => [id, at])));
    box.onclick = (event) => {
      const note = event.target.closest?.("g.note, g.chord, g.rest");
      const inside = note && [note, ...$$("g.note", note)].find((each) => begins.has(each.id));
      if (inside) seek(begins.get(inside.id));
    };
  } catch (error) {
    of = null;
    box.replaceChildren(el("p.lost", {}, error.message));
  }
};
export const hideSheet = (box) => { box.hidden = true; };

let place = -1;
/** Marks what sounds at `at` seconds; turns the page with it while it plays. */
export const moveSheet = (at, playing) => {
  if (!times.length) return;
  let now = times.findIndex(([time]) => time > at + 0.01) - 1;
  if (now === -2) now = times.length - 1;
  if (now === place && marked.length) return;
  place = now;
  unmark();
  if (now < 0) return;
  marked = times[now][1].map((id) => pages.querySelector(`[id="${CSS.escape(id)}"]`)).filter(Boolean);
  for (const note of marked) note.classList.add("sounding");
  const first = marked[0];
  if (!first || !playing) return;
  const [seen, view] = [first.getBoundingClientRect(), pages.getBoundingClientRect()];
  if (seen.top < view.top || seen.bottom > view.bottom) pages.scrollTop += seen.top - view.top - view.height / 4;
};
