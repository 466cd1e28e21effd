// How a clip reads in words: its key, its date, its link, its files.
import { $$, clock, on } from "./bus.js";
import { el } from "./dom.js";

export const DOWNLOADS = [
  ["wav16", "WAV"], ["wav24", "WAV 24 bit"], ["flac", "FLAC"], ["mp3", "MP3"], ["ogg", "OGG"],
  ["midi", "MIDI"], ["musicxml", "MusicXML"], ["stems", "Stems"], ["json", "Recipe"],
];

export const prettyKey = (key) => {
  const [tonic, mode] = key.split(" ");
  return `${tonic[0]}${tonic.slice(1).replace("b", "♭").replace("#", "♯")} ${mode}`;
};

const DAY = 86_400_000;
const dayOf = (made, tongue) => {
  const now = new Date();
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  return made.getTime() >= midnight
    ? made.toLocaleTimeString(tongue, { hour: "2-digit", minute: "2-digit" })
    : made.getTime() >= midnight - DAY
      ? "Yesterday"
      : made.toLocaleDateString(tongue, { day: "numeric", month: "short", ...(made.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) });
};
// The browser's own way of writing dates, but in the page's language.
const date = (time) => {
  const page = document.documentElement.lang.slice(0, 2);
  const tongue = navigator.language.startsWith(page) ? navigator.language : page;
  const made = new Date(time.dateTime);
  time.title = made.toLocaleString(tongue);
  time.textContent = dayOf(made, tongue);
  return time;
};
on("language", () => $$("time").forEach(date));

/** When it was made, as near as one wants to know it. */
export const when = (iso) => date(el("time", { dateTime: iso }));

/** Key, tempo, genre, length: a `span` each. */
export const facts = (clip) =>
  [
    clip.key ? el("span.key", {}, prettyKey(clip.key)) : null,
    el("span.tempo", {}, el("b", {}, Math.round(clip.tempo)), " BPM"),
    clip.genre ? el("span.genre", {}, clip.genre) : null,
    el("span.length", {}, clock(clip.seconds)),
  ].filter(Boolean);

/** A link that makes the same clip anywhere, and says whether it is the same. */
export const linkTo = (clip) => {
  const link = new URL(location.href);
  link.hash = "";
  link.search = "";
  link.searchParams.set("r", clip.code);
  link.searchParams.set("h", clip.hash);
  return link.href;
};

export const fileOf = (clip, kind) => `studio/clips/${clip.id}/download/${kind}`;
