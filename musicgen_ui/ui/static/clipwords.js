// How a clip reads in words: its key, its date, its link, its files.
import { clock } from "./bus.js";
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
/** When it was made, as near as one wants to know it. */
export const when = (iso) => {
  const made = new Date(iso);
  const now = new Date();
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const words =
    made.getTime() >= midnight
      ? made.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })
      : made.getTime() >= midnight - DAY
        ? "Yesterday"
        : made.toLocaleDateString(undefined, { day: "numeric", month: "short", ...(made.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) });
  return el("time", { dateTime: iso, title: made.toLocaleString() }, words);
};

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
