// The player to the rest of the machine: media keys, the lock screen, the headset's button.
import { next, previous, seek, toggle } from "./player.js";

const RATE = 8000;
const SECONDS = 10;

let silence = null;
let shown = "";

// Browsers show the keys of a page only while a media element of it plays; Web Audio alone is not seen.
const quietSound = () => {
  const size = RATE * SECONDS;
  const data = new DataView(new ArrayBuffer(44 + size));
  const word = (at, text) => [...text].forEach((letter, i) => data.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF");
  data.setUint32(4, 36 + size, true);
  word(8, "WAVEfmt ");
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true);
  data.setUint16(22, 1, true);
  data.setUint32(24, RATE, true);
  data.setUint32(28, RATE, true);
  data.setUint16(32, 1, true);
  data.setUint16(34, 8, true);
  word(36, "data");
  data.setUint32(40, size, true);
  new Uint8Array(data.buffer, 44).fill(128);
  const sound = new Audio(URL.createObjectURL(new Blob([data], { type: "audio/wav" })));
  sound.loop = true;
  return sound;
};

const listen = () => {
  const session = navigator.mediaSession;
  const does = { play: toggle, pause: toggle, nexttrack: next, previoustrack: previous, seekto: (asked) => seek(asked.seekTime) };
  for (const [name, act] of Object.entries(does)) {
    try { session.setActionHandler(name, act); } catch { /* a key that this browser does not know */ }
  }
};

export const showToSystem = ({ clip, playing, at, length }) => {
  if (!("mediaSession" in navigator)) return;
  if (playing && !silence) {
    silence = quietSound();
    listen();
  }
  if (!silence) return;
  if (playing && silence.paused) silence.play().catch(() => null);
  if (!playing && !silence.paused) silence.pause();
  const session = navigator.mediaSession;
  session.playbackState = playing ? "playing" : "paused";
  const key = `${clip?.id} ${clip?.title}`;
  if (key !== shown) {
    shown = key;
    session.metadata = new MediaMetadata({ title: clip?.title ?? "Your new clip", artist: "MusicGen UI" });
  }
  if (length > 0 && at <= length) session.setPositionState({ duration: length, position: at, playbackRate: 1 });
};
