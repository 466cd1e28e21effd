// Sound of a clip in the making: frames of the server's stream, laid into one growing recording.
import { audio, RATE } from "./sound.js";

const HEAD = 8;
const SCALE = 1 / 32768;
const BLEND = 660;

export class Tape {
  constructor() {
    this.left = new Float32Array(RATE * 30);
    this.right = new Float32Array(RATE * 30);
    this.samples = 0;
    this.seams = [];
    this.done = false;
    this.listeners = new Set();
  }

  get seconds() { return this.samples / RATE; }

  /** Lays a piece in: it takes the place of what was there. What reached beyond its end stays until it is replaced too. */
  put(begin, pairs) {
    const count = pairs.length / 2;
    const end = begin + count;
    if (end > this.left.length) {
      for (const side of ["left", "right"]) {
        const longer = new Float32Array(Math.max(end, 2 * this[side].length));
        longer.set(this[side].subarray(0, this.samples));
        this[side] = longer;
      }
    }
    // Where there was sound already, the new one comes in over some milliseconds.
    const over = begin > 0 ? Math.min(BLEND, count, this.samples - begin) : 0;
    for (let i = 0; i < count; i += 1) {
      const share = i < over ? i / over : 1;
      this.left[begin + i] += share * (pairs[2 * i] * SCALE - this.left[begin + i]);
      this.right[begin + i] += share * (pairs[2 * i + 1] * SCALE - this.right[begin + i]);
    }
    this.seams = this.seams.filter((seam) => seam < begin || seam > end);
    if (end < this.samples) this.seams.push(end);
    this.samples = Math.max(this.samples, end);
    this.tell(begin / RATE);
  }

  /** A buffer of what is there from `from` seconds on. */
  buffer(from) {
    const first = Math.round(from * RATE);
    const made = audio().createBuffer(2, Math.max(1, this.samples - first), RATE);
    ["left", "right"].forEach((side, channel) => {
      const values = this[side].slice(first, this.samples);
      // Where new sound meets old, the step between them is let down over some milliseconds.
      for (const seam of this.seams.filter((place) => place > first && place < this.samples)) {
        const step = this[side][seam - 1] - this[side][seam];
        const long = Math.min(BLEND, this.samples - seam);
        for (let i = 0; i < long; i += 1) values[seam - first + i] += step * (1 - i / long);
      }
      made.copyToChannel(values, channel);
    });
    return made;
  }

  tell(changed) { for (const listen of this.listeners) listen(changed); }
}

/** Splits a stream of bytes into frames: uint32 begin, uint32 n, n stereo pairs of int16, all little-endian. */
export const readFrames = async (body, use) => {
  const reader = body.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const more = new Uint8Array(held.length + value.length);
    more.set(held);
    more.set(value, held.length);
    held = more;
    for (;;) {
      if (held.length < HEAD) break;
      const view = new DataView(held.buffer, held.byteOffset);
      const [begin, count] = [view.getUint32(0, true), view.getUint32(4, true)];
      const size = HEAD + 4 * count;
      if (held.length < size) break;
      use(begin, new Int16Array(held.slice(HEAD, size).buffer));
      held = held.subarray(size);
    }
  }
};

/** A tape that fills while the server makes the clip; `first` is called once, with its first sound. */
export const openTape = (url, first) => {
  const tape = new Tape();
  const read = async () => {
    try {
      const answer = await fetch(url);
      if (answer.ok) {
        await readFrames(answer.body, (begin, pairs) => {
          const empty = tape.samples === 0;
          tape.put(begin, pairs);
          if (empty) first();
        });
      }
    } catch { /* the line broke: the finished file is heard instead */ }
    tape.done = true;
    tape.tell(tape.seconds);
  };
  read();
  return tape;
};
