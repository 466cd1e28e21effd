// The controls' side of the page: what follows a slider in the browser alone, shortcuts, light and dark, the status line.
import { $, $$, person, say, store } from "./bus.js";

const busy = () => ["waiting", "working", "stopping"].includes(document.body.dataset.state);

// Gradio's events call these; drawn here, not on the server, because they follow a slider while it moves.
window.studio = {
  stopPressed: false,
  outbox: "",
  // The last argument of an event that makes a clip: whose library it goes to.
  signed(...values) {
    values[values.length - 1] = person();
    return values;
  },
  // What `make` in bus.js wants.
  order(...values) {
    values[values.length - 2] = window.studio.outbox;
    values[values.length - 1] = person();
    return values;
  },
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
    return window.studio.stopPressed ? stopped : unreachable;
  },
};

export const startDesk = () => {
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
  const kept = store.get("theme");
  if (!asked && kept) setTheme(kept === "dark");
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("#theme")) {
      const dark = !document.body.classList.contains("dark");
      setTheme(dark);
      store.set("theme", dark ? "dark" : "light");
    }
    if (target?.closest(".makes")) window.studio.stopPressed = false;
    if (target?.closest("#stop")) window.studio.stopPressed = true;
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
      say(said);
    }
  };
  const status = $("#status");
  if (status) new MutationObserver(listen).observe(status, { childList: true, subtree: true, attributes: true });
  listen();
};
