() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window: not remembered */ } },
  };

  let stopPressed = false;
  const busy = () => ["waiting", "working", "stopping"].includes(document.body.dataset.state);

  // Drawn here, not on the server, because they follow a slider while it moves.
  window.studio = {
    blend(names, weights) {
      const total = weights.reduce((sum, weight) => sum + Math.max(0, weight || 0), 0);
      if (!(total > 0)) return '<div class="blend"><span class="any">Any genre: the composer chooses</span></div>';
      const cells = names
        .map((name, i) => ({ name, share: Math.max(0, weights[i] || 0) / total }))
        .filter((cell) => cell.share > 0)
        .map((cell) => `<span style="flex-grow:${cell.share.toFixed(4)}">${cell.name} ${Math.round(100 * cell.share)}%</span>`);
      return `<div class="blend">${cells.join("")}</div>`;
    },
    length(tempo, bars, metre, speed) {
      const seconds = (bars * (metre === "3/4" ? 3 : 4) * 60) / tempo / speed;
      if (!Number.isFinite(seconds)) return "";
      const whole = Math.round(seconds);
      return `<p class="length">${whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`}</p>`;
    },
    // The picture of timbre.py, between two cards: share 0 is the first, 1 the second.
    morph(value, ...cards) {
      const share = Math.min(1, Math.max(0, value || 0));
      const percent = Math.round(100 * share);
      const said = percent === 0 ? "Only A sounds" : percent === 100 ? "Only B sounds" : `${100 - percent} % A, ${percent} % B`;
      const [from, to] = cards.map((card) => JSON.parse(/data-z="([^"]*)"/.exec(card)?.[1] ?? "[]"));
      const mix = from.map((value, i) => value + (to[i] - value) * share);
      const bars = mix.map((value, i) => {
        const height = Math.max(1, Math.min(1, Math.abs(value) / 3) * 23);
        return `<rect x="${10 * i + 2}" y="${(value < 0 ? 24 : 24 - height).toFixed(1)}" width="6" height="${height.toFixed(1)}"/>`;
      });
      return `<div class="timbre-card mix" style="--share:${share}"><p>${said}</p><svg viewBox="0 0 ${10 * mix.length} 48" preserveAspectRatio="none" aria-hidden="true">${bars.join("")}</svg></div>`;
    },
    waiting(html) {
      return busy() ? $("#status .status").outerHTML : html;
    },
    stopping(html) {
      return busy() ? html : $("#status .status").outerHTML;
    },
    ended(stopped, unreachable) {
      return stopPressed ? stopped : unreachable;
    },
  };

  // Ctrl or Cmd + Enter generates from anywhere.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    $("#generate")?.click();
  }, true);

  const setTheme = (dark) => {
    document.documentElement.classList.toggle("dark", dark);
    document.body.classList.toggle("dark", dark);
  };
  const asked = new URLSearchParams(location.search).get("__theme");
  const kept = store.get("musicgen-theme");
  if (!asked && kept) setTheme(kept === "dark");
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("#theme")) {
      const dark = !document.body.classList.contains("dark");
      setTheme(dark);
      store.set("musicgen-theme", dark ? "dark" : "light");
    }
    if (target?.closest(".makes")) stopPressed = false;
    if (target?.closest("#stop")) stopPressed = true;
    const chip = target?.closest(".chip");
    if (chip) $$(".chip").forEach((other) => other.setAttribute("aria-pressed", String(other === chip)));
    if (target?.closest(".makes") && matchMedia("(max-width: 1179px)").matches) {
      $("#stage")?.scrollIntoView({ behavior: "smooth", block: "start" });
    }
  });
  $$(".chip").forEach((chip) => chip.setAttribute("aria-pressed", "false"));

  // The status line speaks once per piece of news, not at every tick of its clock.
  let said = "";
  const listen = () => {
    const box = $("#status .status");
    if (!box) return;
    document.body.dataset.state = box.dataset.state;
    $("#generate")?.setAttribute("aria-busy", String(box.dataset.state === "working"));
    if (box.dataset.say !== said) {
      said = box.dataset.say;
      const announcer = $("#announcer");
      if (announcer) announcer.textContent = said;
    }
  };
  const status = $("#status");
  if (status) new MutationObserver(listen).observe(status, { childList: true, subtree: true, attributes: true });
  listen();

  // The clip's transport: one playhead through waveform, score and spectrogram; a press on any of them moves the clip.
  const media = () => $("#player audio");
  const length = () => { const audio = media(); return audio && Number.isFinite(audio.duration) ? audio.duration : 0; };
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const wished = () => store.get("musicgen-loop") === "yes";
  let looped = wished();
  let volume = Number(store.get("musicgen-volume") ?? 1);
  const toggle = () => { const audio = media(); if (audio) { if (audio.paused) audio.play(); else audio.pause(); } };
  // A media element stops for a moment at its end, so a clip that was made as a loop is turned by Web Audio, without a
  // gap; the element goes on as its silent clock, and takes over again where Web Audio is not to be had.
  const turn = { context: null, gain: null, source: null, buffer: null, src: "", began: 0, from: 0, busy: false, refused: "" };
  const rest = () => {
    turn.source?.stop();
    turn.source?.disconnect();
    turn.source = null;
    const audio = media();
    if (audio) audio.muted = false;
  };
  const begin = async (audio) => {
    const src = audio.currentSrc;
    turn.busy = true;
    try {
      turn.context ??= new AudioContext({ sampleRate: 44100 }); // that of the clips: resampling would blur the join
      turn.context.resume();
      if (turn.src !== src) {
        turn.buffer = await turn.context.decodeAudioData(await (await fetch(src)).arrayBuffer());
        turn.src = src;
      }
      if (audio.paused || audio.currentSrc !== src || turn.context.state !== "running") return;
      turn.gain = turn.context.createGain();
      turn.gain.connect(turn.context.destination);
      turn.source = turn.context.createBufferSource();
      turn.source.buffer = turn.buffer;
      turn.source.loop = true;
      turn.source.connect(turn.gain);
      turn.from = audio.currentTime % turn.buffer.duration;
      turn.began = turn.context.currentTime;
      turn.source.start(0, turn.from);
      audio.muted = true;
    } catch {
      turn.refused = src;
    } finally {
      turn.busy = false;
    }
  };
  const keepTurning = (audio) => {
    const wanted = looped && !audio.paused && $("#waveform [data-loop]") && audio.currentSrc && turn.refused !== audio.currentSrc;
    if (turn.source && (!wanted || turn.src !== audio.currentSrc)) rest();
    if (wanted && !turn.source && !turn.busy) begin(audio);
    if (!turn.source) return;
    turn.gain.gain.value = volume;
    const span = turn.buffer.duration;
    const now = (turn.from + turn.context.currentTime - turn.began) % span;
    const inside = now > 0.5 && now < span - 0.5;
    if (inside && Math.abs(audio.currentTime - now) > 0.2) audio.currentTime = now;
  };
  const moveTo = (seconds) => {
    rest();
    media().currentTime = seconds;
  };
  // The share is set on the few elements that show it, never on a parent: every note would be styled anew at each frame.
  let shown = -1;
  const tick = () => {
    requestAnimationFrame(tick);
    const audio = media();
    const wave = $("#waveform .waveform");
    if (!audio || !wave) return;
    if (audio.loop !== looped) audio.loop = looped;
    keepTurning(audio);
    if (Math.abs(audio.volume - volume) > 0.001) audio.volume = volume;
    if (!wave.dataset.seen) {
      // A clip that was made as a loop is repeated, whatever was wished for others.
      wave.dataset.seen = "yes";
      looped = wave.dataset.loop === "yes" || wished();
    }
    if (wave.dataset.playing !== String(!audio.paused)) wave.dataset.playing = String(!audio.paused);
    const now = audio.currentTime;
    if (now === shown && wave.dataset.ready) return;
    shown = now;
    const share = String(length() > 0 ? now / length() : 0);
    $$("#result .playhead, #waveform .played").forEach((mark) => mark.style.setProperty("--play", share));
    const readout = $("output", wave);
    if (wave.dataset.ready && readout.textContent === clock(now)) return;
    wave.dataset.ready = "yes";
    readout.textContent = clock(now);
    const seek = $(".seek", wave);
    seek.setAttribute("aria-valuenow", now.toFixed(1));
    seek.setAttribute("aria-valuetext", `${clock(now)} of ${clock(length())}`);
    $(".loop", wave).setAttribute("aria-pressed", String(looped));
    const slider = $(".volume input", wave);
    if (document.activeElement !== slider) slider.value = String(volume);
  };
  requestAnimationFrame(tick);
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("#waveform .play")) toggle();
    const loop = target?.closest("#waveform .loop");
    if (loop) {
      looped = !looped;
      if (!$("#waveform [data-loop]")) store.set("musicgen-loop", looped ? "yes" : "no");
      loop.setAttribute("aria-pressed", String(looped));
    }
  });
  document.addEventListener("input", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#waveform .volume")) return;
    volume = Number(event.target.value);
    store.set("musicgen-volume", String(volume));
  });
  const seekTo = (plot, x) => {
    const audio = media();
    const box = plot.getBoundingClientRect();
    const left = parseFloat(getComputedStyle(plot).paddingLeft) || 0;
    const share = (x - box.left - left) / (box.width - left);
    if (audio && length() && share >= -0.02) moveTo(Math.min(1, Math.max(0, share)) * length());
  };
  let dragged = null;
  document.addEventListener("pointerdown", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const plot = target?.closest(".timeline .plot");
    if (!plot || target.closest("button") || event.button !== 0) return;
    dragged = plot;
    seekTo(plot, event.clientX);
  });
  document.addEventListener("pointermove", (event) => { if (dragged) seekTo(dragged, event.clientX); });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { dragged = null; });
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const audio = media();
    if (!audio) return;
    if (event.key === " " && (target === document.body || target?.closest(".seek"))) {
      event.preventDefault();
      toggle();
    }
    const step = { ArrowLeft: -2, ArrowRight: 2, Home: -1e9, End: 1e9 }[event.key];
    if (step && target?.closest(".seek")) {
      event.preventDefault();
      moveTo(Math.min(length(), Math.max(0, audio.currentTime + step)));
    }
  });
}
