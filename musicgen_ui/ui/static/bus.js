// What the modules of the page share: news, the person's token, the server's routes, and clips ordered through Gradio.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

export const store = {
  get: (key) => { try { return localStorage.getItem(`musicgen-${key}`); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(`musicgen-${key}`, value); } catch { /* private window: not remembered */ } },
  drop: (key) => { try { localStorage.removeItem(`musicgen-${key}`); } catch { /* was never there */ } },
};

export const bus = new EventTarget();
export const emit = (name, detail = {}) => bus.dispatchEvent(new CustomEvent(name, { detail }));
export const on = (name, listen) => bus.addEventListener(name, (event) => listen(event.detail));

export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};
export const escapeHtml = (text) =>
  String(text ?? "").replace(/[&<>"']/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[sign]);

// A secret that the browser makes: who knows it sees this person's library.
let token = store.get("person");
export const person = () => {
  if (!/^[0-9a-f]{32}$/.test(token ?? "")) {
    token = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    store.set("person", token);
  }
  return token;
};

export const say = (text) => {
  const announcer = $("#announcer");
  if (announcer) announcer.textContent = text;
};

// A note at the lower edge that goes away by itself; with an action (undo) it stays longer.
export const toast = (text, { label = "", action = null, seconds = action ? 10 : 5 } = {}) => {
  let shelf = $("#toasts");
  if (!shelf) {
    shelf = document.createElement("div");
    shelf.id = "toasts";
    document.body.append(shelf);
  }
  const note = document.createElement("div");
  note.className = "toast";
  note.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = text;
  note.append(words);
  const close = () => note.remove();
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => { close(); action(); });
    note.append(button);
  }
  shelf.append(note);
  while (shelf.children.length > 3) shelf.firstChild.remove();
  setTimeout(close, 1000 * seconds);
  return close;
};

// The server's own routes. Errors carry the server's sentence.
export const api = async (path, { method = "GET", body = undefined, raw = false } = {}) => {
  const headers = { "X-Person": person() };
  const form = body instanceof FormData || body instanceof Blob;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined || form ? body : JSON.stringify(body) });
  } catch {
    throw new Error("The studio is out of reach. Is it still running?");
  }
  if (raw && answer.ok) return answer;
  const told = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(told?.error ?? "Something went wrong.");
  return told;
};

// Clips are made one at a time, in the order of the asking, on the lane that Generate uses too.
const orders = [];
let running = null;
let number = 0;
const turn = () => {
  if (running || !orders.length) return;
  const button = $("#do-make");
  if (!button || ["waiting", "working", "stopping"].includes(document.body.dataset.state)) {
    setTimeout(turn, 150);
    return;
  }
  running = orders.shift();
  window.studio.stopPressed = false;
  window.studio.outbox = JSON.stringify({ ...running.request, to: running.to, token: running.token });
  press(running);
};
// Gradio takes no press while it still puts the last clip away: then the order is pressed for again.
const press = (order) => {
  if (running !== order || ["waiting", "working", "stopping"].includes(document.body.dataset.state)) return;
  $("#do-make").click();
  setTimeout(press, 300, order);
};
const finish = (settle) => {
  const order = running;
  running = null;
  if (order) settle(order);
  setTimeout(turn, 50);
};

/** Asks the studio for a clip; `to` says what for: stage, takes, morph, radio. */
export const make = (request, { to = "stage" } = {}) =>
  new Promise((done, failed) => {
    number += 1;
    orders.push({ request, to, token: `${number}`, done, failed });
    turn();
  });
/** Takes back what was asked for and has not begun; `to` limits it. */
export const unask = (to) => {
  for (const order of orders.filter((each) => each.to === to)) {
    orders.splice(orders.indexOf(order), 1);
    order.failed(new Error("stopped"));
  }
};
/** What is asked for and not yet made. */
export const asked = (to) => orders.filter((order) => order.to === to).length + (running?.to === to ? 1 : 0);

/** Sets the page's controls as the recipe in a share code has them. */
export const restore = (code) => {
  window.studio.outbox = code;
  $("#do-restore")?.click();
};

const watch = (selector, look) => {
  const box = $(selector);
  if (box) new MutationObserver(look).observe(box, { childList: true, subtree: true, attributes: true });
};

export const startBus = () => {
  let last = "";
  watch("#made-data", () => {
    const mark = $("#made-data [data-clip]");
    if (!mark || mark.dataset.clip === last) return;
    last = mark.dataset.clip;
    const clip = JSON.parse(last);
    const { to, token: of, unlike } = mark.dataset;
    if (to === "stage") document.body.dataset.shown = clip.id;
    emit("clip", { clip, to, token: of, unlike });
    emit("library");
    if (running && running.token === of) finish((order) => order.done(clip));
  });
  let stream = "";
  watch("#stream-data", () => {
    const mark = $("#stream-data [data-stream]");
    if (!mark || mark.dataset.stream === stream) return;
    stream = mark.dataset.stream;
    emit("stream", { url: `studio/stream/${stream}`, to: mark.dataset.to });
  });
  watch("#status", () => {
    const box = $("#status .status");
    if (!box || !running) return;
    const state = box.dataset.state;
    if (state === "working" || state === "waiting") running.begun = true;
    if (!running.begun) return;
    if (state === "stopped") finish((order) => order.failed(new Error("stopped")));
    if (state === "error") finish((order) => order.failed(new Error(box.dataset.say)));
  });
};

// Rooms: one page, several views; the address remembers which one.
export const ROOMS = ["studio", "library", "foryou", "about"];
export const showRoom = (name) => {
  const room = ROOMS.includes(name) ? name : "studio";
  document.body.dataset.room = room;
  for (const tab of $$("#rooms button")) {
    if (tab.dataset.room === room) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  const hash = room === "studio" ? "" : `#${room}`;
  if (location.hash !== hash) history.replaceState(null, "", location.pathname + location.search + hash);
  emit("room", { name: room });
};
