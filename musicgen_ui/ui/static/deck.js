// One clip on the air: from a file, from its stems, or from a tape that still grows. Every change is a short crossfade
// between two stretches of the same music, so that nothing clicks and nothing is lost.
import { audio, FADE, LEAD, output, RATE } from "./sound.js";

const ENOUGH = 0.5;
const LATE = 0.03;
const TRIES = 4;
const CURVE = 64;
const rising = Float32Array.from({ length: CURVE }, (_, i) => Math.sin((Math.PI / 2) * (i / (CURVE - 1))));
const falling = rising.slice().reverse();
const onGrid = (time) => Math.ceil(time * RATE - 1e-6) / RATE;

export class Deck {
  /**
   * @param clip ClipInfo, or null while it is being made.
   * @param tape what is there of it while it is being made.
   */
  constructor(clip, tape = null) {
    this.clip = clip;
    this.tape = tape;
    this.voices = null;
    this.lost = false;
    this.playing = false;
    this.starved = false;
    this.counted = false;
    this.listened = 0;
    this.began = 0;
    this.from = 0;
    this.laid = 0;
    this.stretches = [];
    this.repeats = false;
    this.gain = audio().createGain();
    this.gain.connect(output());
    this.grown = (changed) => this.spread(changed);
    tape?.listeners.add(this.grown);
  }

  /** Seconds; of what is there so far, while it is being made. */
  get length() { return this.voices ? this.voices[0].buffer.duration : this.tape?.seconds ?? 0; }
  get complete() { return this.voices !== null || this.tape?.done === true; }

  /** Where it is, in seconds, at a time of the audio clock. */
  now(time = audio().currentTime) {
    if (!this.playing) return this.from;
    const at = this.from + Math.max(0, time - this.began);
    if (!this.voices) return Math.min(at, this.laid);
    return this.repeats ? at % this.length : Math.min(at, this.length);
  }

  /** The audio clock's time at which it ends, or ends a round, not before `time`. */
  ending(time) {
    const first = this.began + this.length - this.from;
    if (!this.repeats) return first;
    return first + Math.max(0, Math.ceil((time - first) / this.length)) * this.length;
  }
  /** Sounds no longer than until `time`, which is taken back by another one. */
  until(time) { for (const laid of this.stretches) for (const { source } of laid.voices) source.stop(time); }
  /** A tape that has run out is not over: its file is about to come, unless it cannot be had. */
  get over() { return this.playing && (this.voices ? !this.repeats : this.lost) && this.now() >= this.length - 0.002; }
  /** Whether the tape has run out before `time`: its last moments were faded out. */
  dry(time) { return this.playing && !this.voices && (this.starved || this.now(time) >= this.laid); }

  /** Sound from a file, or from stems that add up to it: [{buffer, into}]; goes on at the same place. */
  use(voices) {
    const time = this.soon();
    const at = this.dry(time) ? Math.max(0, this.laid - FADE) : this.now(time);
    this.tape?.listeners.delete(this.grown);
    this.voices = voices;
    this.starved = false;
    if (this.playing && this.began < time) this.enter(Math.min(at, this.length), time);
    else if (this.playing) this.enter(this.from, this.began);
  }
  useFile(buffer) { this.use([{ buffer, into: this.gain }]); }

  soon() { return onGrid(audio().currentTime + LEAD); }

  play(time = this.soon()) {
    if (this.playing) return;
    if (this.complete && this.from >= this.length - 0.01) this.from = 0;
    this.playing = true;
    this.enter(this.from, time);
  }
  pause() {
    if (!this.playing) return;
    this.from = this.now();
    this.playing = false;
    this.starved = false;
    this.silence(audio().currentTime + 0.005);
  }
  seek(at) {
    const to = Math.min(Math.max(0, at), Math.max(0, this.length - (this.complete ? 0.01 : 2 * FADE)));
    if (!this.playing) this.from = to;
    else this.enter(to, this.soon());
  }
  /** Repeats or stops repeating, from now on. */
  repeat(wanted) {
    if (wanted === this.repeats) return;
    const time = audio().currentTime;
    if (this.playing && this.voices && time > this.began) [this.from, this.began] = [this.now(time), time];
    this.repeats = wanted;
    for (const stretch of this.stretches) for (const voice of stretch.voices) voice.source.loop = wanted;
  }

  /** Cuts what sounds and begins anew at `at` seconds, `time` on the audio clock. */
  enter(at, time) {
    this.silence(time);
    [this.from, this.began] = [at, time];
    if (this.voices) {
      this.lay(this.voices, at, time, at > 0 || this.stretches.length > 0);
      return;
    }
    this.laid = at;
    this.starved = true;
    this.spread(at);
  }

  /** Schedules what the tape has got since: from the place that changed, or where the music had to wait. */
  spread(changed) {
    if (!this.playing || this.voices) return;
    const { tape } = this;
    const time = this.soon();
    this.starved = this.dry(time);
    if (this.starved) {
      const first = this.laid === this.from && this.began >= time - LEAD;
      const wait = tape.done || first ? 0 : ENOUGH;
      if (tape.seconds - this.laid <= wait) return;
      // The last moments had been faded out: they are heard again, so that nothing is lost.
      const at = Math.max(0, this.laid - (this.stretches.length ? FADE : 0));
      const buffer = tape.buffer(Math.round(at * RATE) / RATE);
      [this.from, this.began] = [at, Math.max(this.soon(), this.began)];
      this.starved = false;
      this.stretch(buffer, this.began, at > 0);
      return;
    }
    if (changed >= tape.seconds) return;
    for (let tries = 1; ; tries += 1) {
      const at = Math.max(changed - FADE, this.now(this.soon()));
      const when = onGrid(this.began + at - this.from);
      const place = Math.round((this.from + when - this.began) * RATE) / RATE;
      const buffer = tape.buffer(place);
      // Copying a long tape on a busy machine can take longer than the lead: then the moment has passed.
      if (tries < TRIES && audio().currentTime > when - LATE) continue;
      this.silence(when);
      this.stretch(buffer, when, true);
      return;
    }
  }
  stretch(buffer, when, soft) {
    const laid = this.lay([{ buffer, into: this.gain }], 0, when, soft);
    this.laid = this.tape.seconds;
    this.cut(laid, when + buffer.duration - FADE);
  }

  lay(voices, at, when, soft) {
    const out = audio();
    const laid = { until: Infinity, voices: [] };
    for (const { buffer, into } of voices) {
      const source = out.createBufferSource();
      const [rise, fall] = [out.createGain(), out.createGain()];
      source.buffer = buffer;
      source.loop = this.repeats && this.voices !== null;
      source.connect(rise).connect(fall).connect(into);
      if (soft) {
        rise.gain.value = 0; // else the sample at the very moment can still be heard in full
        rise.gain.setValueAtTime(0, when);
        rise.gain.linearRampToValueAtTime(1, when + FADE);
      }
      source.start(when, at);
      source.onended = () => {
        fall.disconnect();
        this.stretches = this.stretches.filter((other) => other !== laid);
      };
      laid.voices.push({ source, fall });
    }
    this.stretches.push(laid);
    return laid;
  }
  cut(laid, when) {
    if (laid.until <= when) return;
    laid.until = when;
    for (const { source, fall } of laid.voices) {
      fall.gain.cancelScheduledValues(0);
      fall.gain.setValueAtTime(1, when);
      fall.gain.linearRampToValueAtTime(0, when + FADE);
      source.stop(when + FADE);
    }
  }
  silence(when) { for (const laid of this.stretches) this.cut(laid, when); }

  /** Equal power: with another deck that fades the other way, the loudness stays. */
  fade(inwards, when, seconds) {
    this.gain.gain.cancelScheduledValues(0);
    if (seconds <= 0) this.gain.gain.setValueAtTime(1, when);
    else this.gain.gain.setValueCurveAtTime(inwards ? rising : falling, when, seconds);
  }
  /** Off the air, at once or at the end of a crossfade. */
  leave(when = audio().currentTime) {
    this.tape?.listeners.delete(this.grown);
    this.silence(when);
    this.from = this.now();
    this.playing = false;
    setTimeout(() => this.gain.disconnect(), 1000 * (when - audio().currentTime + 0.2));
  }
}
