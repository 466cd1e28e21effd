// What the studio believes that a person likes: in words, as bars that show how sure it is, and with the clips that say so.
import { on, toast } from "./bus.js";
import { action, el, icon, later } from "./dom.js";
import { sleeveButton } from "./clipcards.js";
import { confirmed } from "./menu.js";
import { clips, taste } from "./routes.js";
import * as player from "./player.js";

const SLIDERS = [
  ["tempo", "slower", "faster"], ["mood", "darker", "sunnier"], ["energy", "calmer", "more driving"], ["density", "sparser", "busier"],
  ["syncopation", "straighter", "more off-beat"], ["complexity", "simpler", "richer"], ["brightness", "warmer", "brighter"], ["space", "drier", "more roomy"],
];
const FULL = 2.4; // log odds for each unit of a slider, at which a bar is full
const UNKNOWN = 1.2;

let box = null;
let told = null;

/** What the studio said when it proposed this clip; null where it was not the radio's. */
export const reasonFor = async (clip) => {
  try {
    const { proposed } = await taste.get();
    return proposed.findLast((each) => each.seed === clip.recipe.seed) ?? null;
  } catch {
    return null;
  }
};

const share = (value) => Math.max(-0.96, Math.min(0.96, value / FULL));
const bar = ([name, less, more]) => {
  const known = told.weights.find((weight) => weight.name === name);
  const weight = known?.weight ?? 0;
  const deviation = known?.deviation ?? UNKNOWN;
  const [low, high] = [share(weight - deviation), share(weight + deviation)];
  const sure = known && known.sure >= 0.85 && Math.abs(weight) > 0.1;
  const words = !known || !sure ? "not sure yet" : weight > 0 ? more : less;
  const percent = (value) => `${(50 + 50 * value).toFixed(1)}%`;
  return el("li", { className: sure ? "sure" : "" },
    el("span.less", {}, less),
    el("span.line", { role: "img", "aria-label": `${name}: ${words}`, style: `--at:${percent(share(weight))};--low:${percent(low)};--high:${percent(high)}` }, el("i", {}), el("b", {})),
    el("span.more", {}, more));
};

const asked = new Map();
const clipOf = (id) => {
  if (!asked.has(id)) asked.set(id, clips.get(id).catch(() => null));
  return asked.get(id);
};
/** Small sleeves of the clips that say so; those that are gone are left out. */
export const speakers = (speaking) => {
  const sleeves = el("span.speaking", {});
  Promise.all(speaking.map(clipOf)).then((found) => {
    const there = found.filter(Boolean);
    sleeves.append(...there.map((clip) => sleeveButton(clip, () => player.play(clip))));
    if (there.length) sleeves.prepend(el("span.sr", {}, "Clips that say so:"));
  });
  return sleeves;
};
const phrase = ({ lead, words, clips: speaking }) =>
  el("li", {}, el("p", {}, el("span", {}, lead), " ", ...words.flatMap((word, i) => [i ? ", " : null, el("b", {}, word)])), speakers(speaking));

const reset = async () => {
  if (!(await confirmed("Begin anew", "What the studio learned about your taste is forgotten, and the radio begins its tour again. Your clips, and your likes on them, stay.", "Forget what was learned"))) return;
  await act(taste.reset(), "The radio begins anew.");
};
const act = async (answer, words) => {
  try {
    told = await answer;
    draw();
    if (words) toast(words);
  } catch (error) {
    toast(error.message);
  }
};

const teaching = () =>
  el("ol.teaching", {},
    el("li", {}, icon("radio"), el("p", {}, el("b", {}, "It plays"), el("span", {}, "a tour through genres, tempi and moods."))),
    el("li", {}, icon("like"), el("p", {}, el("b", {}, "You answer"), el("span", {}, "with a thumb, here or anywhere in the studio. What you hear to its end and what you skip counts a little too."))),
    el("li", {}, icon("star"), el("p", {}, el("b", {}, "It learns"), el("span", {}, "and tells you here what it believes, how sure it is, and which clips say so."))));

const draw = () => {
  const { liked, disliked, played } = told.counts;
  const knows = liked + disliked + played > 0;
  const toggle = el("button.switch", { type: "button", role: "switch", "aria-checked": String(told.on), onclick: () => act(taste.set(!told.on), told.on ? "The studio no longer learns from you." : "The studio learns from you again.") }, el("i", {}), el("span", {}, "Learn what I like"));
  const count = (name, number, words) => el("li", {}, icon(name), el("b", {}, number), " ", el("span", {}, words));
  box.replaceChildren(
    el("header", {}, el("h3", {}, "What you like"), toggle),
    ...(!told.on
      ? [el("p.hint", {}, "Switched off: nothing is learned, and the radio stays on its tour.")]
      : !told.phrases.length
        ? [el("p.hint", {}, knows ? "A few more answers, and the studio has an idea of what you like." : "Nothing is known yet. This is how it goes:"), ...(knows ? [] : [teaching()])]
        : [el("ul.phrases", {}, ...told.phrases.map(phrase))]),
    ...(told.on && knows
      ? [
          el("ul.counts", { "aria-label": "What it has learned from" }, count("like", liked, "liked"), count("dislike", disliked, "disliked"), count("play", played, "only heard")),
          el("ul.bars", { "aria-label": "Sliders, from less to more" }, ...SLIDERS.map(bar)),
          el("p.hint.legend", {}, el("i", {}), el("span", {}, "A wide band means: not sure yet.")),
          el("div.foot", {}, action(null, "Begin anew", reset), el("p.hint", {}, "It belongs to you alone. “Forget me” in the Library deletes it with everything else.")),
        ]
      : []),
  );
};

/** Draws the panel, and anew whenever something was liked. */
export const drawTaste = (into) => {
  box = into;
  const look = async () => {
    if (document.body.dataset.room !== "foryou") return;
    try {
      told = await taste.get();
      draw();
    } catch (error) {
      box.replaceChildren(el("h3", {}, "What you like"), el("p.hint", { role: "alert" }, error.message), el("button.quiet", { type: "button", onclick: look }, "Try again"));
    }
  };
  const soon = later(look, 400);
  on("room", look);
  on("clip-changed", soon);
  on("counted", soon);
  on("radio", soon);
};
