// A clip's sleeve: a drawing of what is heard in it. The same clip has the same sleeve wherever it shows.
import { svg } from "./dom.js";

// Round the circle of fifths, so that keys that sound near look near.
const FIFTHS = ["C", "G", "D", "A", "E", "B", "F#", "C#", "Ab", "Eb", "Bb", "F"];
const ALSO = { Gb: "F#", Db: "C#", "G#": "Ab", "D#": "Eb", "A#": "Bb", Cb: "B" };
const COLOURS = ["--lead", "--drums", "--chords", "--bass"];
const POINTS = 84;
const HALF = 32;

const between = (from, to, share) => from + (to - from) * share;

/** The colour of a key, out of the theme's own: teal, gold, orange, indigo and what lies between. */
export const keyColour = (key) => {
  if (!key) return "var(--soft)";
  const [tonic, mode] = key.split(" ");
  const major = FIFTHS.indexOf(ALSO[tonic] ?? tonic);
  // A minor key stands beside the major key that shares its notes.
  const place = (major - (mode === "minor" ? 3 : 0) + 12) % 12;
  const [from, share] = [Math.floor(place / 3), (place % 3) / 3];
  const other = COLOURS[(from + 1) % COLOURS.length];
  return share === 0 ? `var(${COLOURS[from]})` : `color-mix(in oklab, var(${COLOURS[from]}) ${Math.round(100 * (1 - share))}%, var(${other}))`;
};

const ring = (radius, swing, lobes, turn, second) => {
  const points = [];
  for (let i = 0; i < POINTS; i += 1) {
    const angle = (2 * Math.PI * i) / POINTS;
    const reach = radius + swing * Math.sin(lobes * angle + turn) + second * Math.sin(2 * lobes * angle - turn);
    points.push(`${(HALF + reach * Math.cos(angle)).toFixed(1)} ${(HALF + reach * Math.sin(angle)).toFixed(1)}`);
  }
  return `M${points.join("L")}Z`;
};

const drawn = new Map();
const REMEMBERED = 600;

const lines = (clip) => {
  const known = drawn.get(clip.hash);
  if (known) return known;
  const heard = (name) => {
    const value = clip.heard?.[name];
    return typeof value === "number" ? Math.min(1, Math.max(0, value)) : 0.5;
  };
  const own = [...(clip.hash ?? "").slice(0, 8)].map((digit) => parseInt(digit, 16) / 16 || 0);
  const rings = Math.round(between(3, 8, heard("density")));
  const lobes = Math.round(between(2, 9, heard("complexity") * 0.7 + (own[0] ?? 0) * 0.3));
  const twist = between(0, 1.1, heard("syncopation")) + 0.12;
  const swing = between(0.8, 4.6, heard("energy"));
  const inner = between(5, 9.5, heard("space"));
  const paths = [];
  for (let i = 0; i < rings; i += 1) {
    const share = rings > 1 ? i / (rings - 1) : 0;
    const radius = between(inner, 25, share);
    paths.push(ring(radius, swing * between(0.35, 1, share), lobes, 6.28 * (own[1] ?? 0) + twist * i, swing * 0.28 * (own[2] ?? 0)));
  }
  const found = { d: paths.join(""), dot: between(1.6, 4.2, heard("brightness")), width: between(1.5, 0.8, (rings - 3) / 5) };
  if (drawn.size >= REMEMBERED) drawn.delete(drawn.keys().next().value);
  drawn.set(clip.hash, found);
  return found;
};

/** The drawing: rings for density, waves for energy, petals for complexity, a twist for syncopation, its colour for the key.
 * Minor keys are drawn on a dark ground, major ones on a light one. */
export const sleeve = (clip) => {
  const { d, dot, width } = lines(clip);
  const minor = (clip.key ?? "").endsWith("minor");
  return svg(
    "svg",
    { class: `sleeve ${minor ? "minor" : "major"}`, viewBox: "0 0 64 64", "aria-hidden": "true", style: `--key:${keyColour(clip.key)}` },
    svg("rect", { class: "ground", width: 64, height: 64, rx: 7 }),
    svg("path", { class: "rings", d, "stroke-width": width.toFixed(2) }),
    svg("circle", { class: "dot", cx: HALF, cy: HALF, r: dot.toFixed(1) }),
  );
};
