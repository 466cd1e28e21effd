// Sound from a microphone or a file, made into the plain WAV that the server reads.

export const MOST = 15; // seconds of a recording
const RATE = 22_050;
const FILE_SECONDS = 600;

/** Why there is no microphone, in words. */
const refusal = (error) =>
  ({
    NotAllowedError: "The browser may not use the microphone. Allow it in the address bar, then press Record again.",
    NotFoundError: "There is no microphone here.",
    NotReadableError: "Another program holds the microphone.",
  })[error?.name] ?? "The microphone does not work here.";

/** Listens to the microphone. `level(0 to 1, seconds)` is called while it runs; `sound` resolves to what was recorded. */
export const listen = async (level) => {
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) throw new Error("This browser records only over https or on this machine.");
  let stream;
  try {
    // Music, not speech: nothing may be cleaned away.
    stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  } catch (error) {
    throw new Error(refusal(error));
  }
  const context = new AudioContext();
  const meter = context.createAnalyser();
  meter.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(meter);
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  recorder.addEventListener("dataavailable", ({ data }) => data.size && pieces.push(data));
  const began = performance.now();
  const values = new Float32Array(meter.fftSize);
  const look = setInterval(() => {
    meter.getFloatTimeDomainData(values);
    const loud = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    const seconds = (performance.now() - began) / 1000;
    level(Math.min(1, Math.max(0, 1 + Math.log10(loud + 1e-6) / 2.2)), Math.min(MOST, seconds));
    if (seconds >= MOST) stop();
  }, 50);
  let cancelled = false;
  const stop = () => recorder.state !== "inactive" && recorder.stop();
  const sound = new Promise((done) => {
    recorder.addEventListener("stop", () => {
      clearInterval(look);
      stream.getTracks().forEach((track) => track.stop());
      context.close();
      done(cancelled ? null : new Blob(pieces, { type: recorder.mimeType }));
    });
  });
  recorder.start();
  return { stop, sound, cancel: () => { cancelled = true; stop(); } };
};

/** What the browser can decode, as one channel at 22.05 kHz: Float32Array. */
export const decode = async (blob) => {
  const data = await blob.arrayBuffer();
  const context = new OfflineAudioContext(1, 1, RATE);
  let buffer;
  try {
    buffer = await context.decodeAudioData(data);
  } catch {
    throw new Error("This file holds no sound that the browser can read. WAV, MP3, OGG, FLAC and M4A work.");
  }
  if (buffer.duration > FILE_SECONDS) throw new Error("This file is longer than ten minutes. Cut out the part that matters.");
  const mono = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const samples = buffer.getChannelData(channel);
    for (let i = 0; i < mono.length; i += 1) mono[i] += samples[i] / buffer.numberOfChannels;
  }
  return mono;
};

/** A stretch of mono samples as a WAV file, 16 bit at 22.05 kHz. */
export const toWav = (samples, begin = 0, end = samples.length / RATE) => {
  const cut = samples.subarray(Math.round(begin * RATE), Math.round(end * RATE));
  const file = new DataView(new ArrayBuffer(44 + 2 * cut.length));
  const text = (at, letters) => [...letters].forEach((letter, i) => file.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  file.setUint32(4, 36 + 2 * cut.length, true);
  text(8, "WAVEfmt ");
  file.setUint32(16, 16, true);
  file.setUint16(20, 1, true);
  file.setUint16(22, 1, true);
  file.setUint32(24, RATE, true);
  file.setUint32(28, 2 * RATE, true);
  file.setUint16(32, 2, true);
  file.setUint16(34, 16, true);
  text(36, "data");
  file.setUint32(40, 2 * cut.length, true);
  cut.forEach((value, i) => file.setInt16(44 + 2 * i, Math.round(32_767 * Math.max(-1, Math.min(1, value))), true));
  return new Blob([file], { type: "audio/wav" });
};

export const secondsOf = (samples) => samples.length / RATE;

/** The loudest of each of `count` equal stretches, 0 to 1. */
export const peaks = (samples, count) => {
  const found = [];
  let most = 1e-4;
  for (let i = 0; i < count; i += 1) {
    const [from, to] = [Math.floor((i * samples.length) / count), Math.floor(((i + 1) * samples.length) / count)];
    let high = 0;
    for (let at = from; at < to; at += 1) high = Math.max(high, Math.abs(samples[at]));
    found.push(high);
    most = Math.max(most, high);
  }
  return found.map((high) => high / most);
};
