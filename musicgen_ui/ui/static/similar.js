// Find similar: from the clip that plays, a stretch of any clip, a file, or what somebody hums; and whether a clip is new.
import { clock, on, say, showRoom, toast } from "./bus.js";
import { action, el, icon, knob, plural } from "./dom.js";
import { sleeveButton } from "./clipcards.js";
import { facts } from "./clipwords.js";
import { panel, showPart } from "./library.js";
import { openWindow } from "./menu.js";
import { matching } from "./routes.js";
import { decode, listen, MOST, peaks, secondsOf, toWav } from "./recording.js";
import { stretch } from "./stretch.js";
import * as player from "./player.js";

const FAINT = 0.02; // a likeness that is none
const LONGEST = 30; // seconds of a stretch that is looked for
let stage = null;
let results = null;
let what = null; // {clip} or {samples, name}, with a stretch
let asking = 0;

const nothing = (sign, heading, text, role = null) => el("div.nothing", { role }, icon(sign), el("h3", {}, heading), el("p", {}, text));

/** The place in a clip, as a bar over its whole length. */
const place = (clip, found) => {
  const share = (seconds) => `${(100 * Math.min(1, Math.max(0, seconds / clip.seconds))).toFixed(1)}%`;
  return el("button.place", {
    type: "button",
    style: `--from:${share(found.begin)};--to:${share(found.end)}`,
    "aria-label": `Play ${clip.title} from ${clock(found.begin)} to ${clock(found.end)}`,
    onclick: () => player.play(clip, { at: found.begin }),
  }, el("i", {}), el("span", {}, clock(found.begin), " – ", clock(found.end)));
};

/** How it differs: higher or lower, faster or slower. */
const apart = ({ semitones, tempo }) => {
  const faster = Math.round(100 * (tempo - 1));
  return [
    semitones ? el("span", {}, `${Math.abs(semitones)} ${Math.abs(semitones) === 1 ? "semitone" : "semitones"} ${semitones > 0 ? "higher" : "lower"}`) : null,
    Math.abs(faster) > 2 ? el("span", {}, `${Math.abs(faster)} % ${faster > 0 ? "faster" : "slower"}`) : null,
  ].filter(Boolean);
};

const result = (found) => {
  const { clip } = found;
  const percent = Math.round(100 * found.score);
  return el(
    "li.clip.match",
    { "data-of": clip.id },
    sleeveButton(clip, () => player.play(clip, { at: found.begin })),
    el("div.what", {}, el("p.name", {}, el("b.title", { translate: "no" }, clip.title)), el("p.facts", {}, ...facts(clip))),
    place(clip, found),
    el("div.reasons", {}, el("p.score", { style: `--score:${percent}%` }, el("i", {}), el("b", {}, `${percent} %`)), el("p.hint", {}, el("span", {}, found.why), ...apart(found))),
    knob("wave", `Find what is like ${clip.title}`, () => choose({ clip })),
  );
};

const show = (told) => {
  const matches = told.matches;
  results.replaceChildren(
    ...(told.unheard ? [el("p.hint", {}, el("span", {}, "Clips that could not be compared:"), " ", el("b", {}, told.unheard))] : []),
    matches.length
      ? el("div", {}, el("div.list-head", {}, el("p.count", {}, ...plural(matches.length, "clip is like it", "clips are like it"))), el("ol.matches", { "aria-label": "Similar clips" }, ...matches.map(result)))
      : nothing("wave", "Nothing here is like it", "Your library holds no clip with this melody, these chords or this rhythm. A longer or clearer stretch may help."),
  );
  say(matches.length ? `${matches.length} found` : "Nothing found");
};

const search = async () => {
  asking += 1;
  const mine = asking;
  const [begin, end] = what.chosen.value();
  results.replaceChildren(nothing("wave", "Listening…", "Your clips are compared with it, bar by bar."));
  results.setAttribute("aria-busy", "true");
  try {
    const told = what.clip ? await matching.likeClip(what.clip.id, begin, end) : await matching.likeSound(toWav(what.samples, begin, end));
    if (mine === asking) show(told);
  } catch (error) {
    if (mine === asking) results.replaceChildren(nothing("close", "That did not work", error.message, "alert"));
  }
  if (mine === asking) results.removeAttribute("aria-busy");
};

/** Takes a clip or a sound as what is looked for, and looks at once. */
const choose = async (thing) => {
  what = thing;
  showPart("similar");
  let samples = thing.samples ?? null;
  if (thing.clip) {
    try {
      samples = await decode(await (await fetch(`studio/clips/${thing.clip.id}/clip.wav`)).blob());
    } catch {
      samples = null; // searched all the same, without a picture
    }
    if (what !== thing) return;
  }
  const seconds = samples ? secondsOf(samples) : thing.clip.seconds;
  const [begin, end] = thing.span ?? [0, Math.min(seconds, LONGEST)];
  thing.chosen = stretch({ seconds, peaks: samples ? peaks(samples, 160) : null, begin, end, most: LONGEST });
  const hear = thing.samples ? el("audio", { controls: true, src: URL.createObjectURL(toWav(thing.samples)), "aria-label": "What you gave" }) : null;
  stage.replaceChildren(
    el("div.given", {},
      el("header", {}, el("p.hint", {}, "Looking for what is like"), el("h3", { tabIndex: -1, translate: thing.clip || thing.file ? "no" : "yes" }, thing.clip?.title ?? thing.name), knob("close", "Look for something else", sources)),
      thing.chosen.box, hear,
      el("div.buttons", {}, action("search", "Find similar", search, { className: "action strong" }), thing.clip ? action("star", "Is this new?", () => isNew(thing.clip)) : null),
    ),
  );
  stage.querySelector("h3").focus({ preventScroll: true });
  search();
};

const fromFile = async (file) => {
  if (!file) return;
  try {
    const samples = await decode(file);
    await choose({ samples, name: file.name, file: true });
  } catch (error) {
    toast(error.message);
  }
};

const record = async () => {
  const meter = el("div.level", { role: "meter", "aria-label": "Loudness", "aria-valuemin": "0", "aria-valuemax": "100" }, el("i", {}));
  const time = el("b.time", {}, "0:00");
  let session = null;
  try {
    session = await listen((level, seconds) => {
      meter.style.setProperty("--level", level.toFixed(2));
      meter.setAttribute("aria-valuenow", String(Math.round(100 * level)));
      time.textContent = clock(seconds);
      time.style.setProperty("--gone", (seconds / MOST).toFixed(3));
    });
  } catch (error) {
    toast(error.message);
    return;
  }
  const stop = action("pause", "Stop and search", () => session.stop(), { className: "action strong" });
  stage.replaceChildren(el("div.given.recording", {}, el("p.hint", {}, "Recording: hum, whistle, clap or play it"), el("p.clock", {}, time, el("span.hint", {}, "of 0:15")), meter, el("div.buttons", {}, stop, action("close", "Leave it", () => { session.cancel(); sources(); }))));
  say("Recording");
  stop.focus();
  const blob = await session.sound;
  if (!blob) return;
  try {
    const samples = await decode(blob);
    if (Math.max(...peaks(samples, 1)) === 0 || samples.every((value) => Math.abs(value) < 0.003)) throw new Error("Nothing was heard. Is the right microphone chosen?");
    await choose({ samples, name: "Your recording" });
  } catch (error) {
    toast(error.message);
    sources();
  }
};

/** Where it may come from. */
const sources = () => {
  what = null;
  asking += 1;
  results.replaceChildren();
  const sounding = player.current();
  const field = el("input.sr", { type: "file", accept: "audio/*", tabIndex: -1, "aria-label": "Sound file", onchange: () => fromFile(field.files[0]) });
  const card = (sign, heading, text, onclick, values = {}) => el("button.source", { type: "button", onclick, ...values }, icon(sign), el("b", {}, heading), el("span", { translate: text === player.current()?.title ? "no" : "yes" }, text));
  const drop = card("file", "A sound file", "Any recording: the part that matters can be cut out", () => field.click(), {
    ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
    ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); fromFile(event.dataTransfer.files[0]); },
  });
  stage.replaceChildren(
    el("p.lead-in", {}, "Find the clips that hold a melody, chords or a rhythm, and the place where they do. It may be in another key or a little faster or slower."),
    el("div.sources", {},
      card("wave", "What plays now", sounding ? sounding.title : "Nothing plays", () => choose({ clip: player.current() }), { disabled: !sounding }),
      card("microphone", "Hum it", "Up to 15 seconds: hum, whistle, clap or play", record),
      drop, field,
      card("list", "One of your clips", "Open a clip's menu and choose “Find similar”", () => showPart("clips", true)),
    ),
  );
};

/** Asks what in the music that the models learned from comes nearest to a clip, and shows it. */
const isNew = async (clip) => {
  const body = el("div.novelty", { "aria-live": "polite", "aria-busy": "true" }, el("p.hint", {}, "The clip is compared with every piece that the studio learned from…"));
  openWindow("Is this new?", el("p.of", {}, el("b", { translate: "no" }, clip.title)), body);
  try {
    const told = await matching.novelty(clip.id);
    const pieces = told.nearest.filter(({ score }, i) => i === 0 || score >= FAINT);
    body.replaceChildren(
      el("p.verdict", {}, told.verdict),
      pieces.length ? el("h3", {}, "The nearest pieces of the training music") : "",
      el("ol.pieces", {}, ...pieces.map((piece) => el("li", {},
        el("p", {}, el("b", { translate: "no" }, piece.name), piece.where ? el("span", {}, piece.where) : null),
        el("p.score", { style: `--score:${Math.round(100 * piece.score)}%` }, el("i", {}), el("b", {}, `${Math.round(100 * piece.score)} %`)),
        el("p.hint", { translate: "no" }, [piece.corpus, piece.licence].filter(Boolean).join(" · "))))),
    );
  } catch (error) {
    body.replaceChildren(el("p.hint", { role: "alert" }, error.message));
  }
  body.removeAttribute("aria-busy");
};

export const start = () => {
  stage = el("div", { id: "similar-what" });
  results = el("div", { id: "similar-results" });
  panel("similar").append(stage, results);
  sources();
  on("find-similar", ({ clip, begin, end }) => { showRoom("library"); choose({ clip, span: begin === undefined ? undefined : [begin, end] }); });
  on("is-it-new", ({ clip }) => isNew(clip));
  on("library-part", ({ name }) => { if (name === "similar" && !what) sources(); });
  let before = null;
  on("player", ({ clip }) => {
    if (clip?.id === before) return;
    before = clip?.id;
    if (!what && !stage.querySelector(".recording") && !panel("similar").hidden) sources();
  });
};
