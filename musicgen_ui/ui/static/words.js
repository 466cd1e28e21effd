// The page in another language: a table of phrases, put over the English that Gradio and the server write.
// Text inside [translate="no"] (titles, names) is a person's own and stays.
import { $, bus, store } from "./bus.js";

const LANGUAGES = { en: "English", zh: "中文" };
const ATTRIBUTES = ["aria-label", "title", "placeholder", "alt", "aria-valuetext"];
const SKIP = 'script, style, textarea, [translate="no"], [contenteditable="true"]';
const NATIVE = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");

let table = null;
let language = "en";
const texts = new WeakMap();
const attributes = new WeakMap();
const inputs = new WeakSet();

/** A phrase in the page's language; English where the table has none. `place` is the element that it stands in. */
export const t = (phrase, place = null) => {
  if (!table || !/[A-Za-z]|^,/.test(phrase)) return phrase;
  const key = phrase.replace(/\s+/g, " ").trim();
  const [before, after] = [/^\s*/.exec(phrase)[0], /\s*$/.exec(phrase)[0]];
  const whole = at(key, place) ?? remembered(key);
  // Chinese stops and commas bring their own room.
  return whole === null ? phrase : before + whole + (/[、，。：；！？]$/.test(whole) ? "" : after);
};

// A word may have another meaning in some places: "Keep" beside the seed holds it, elsewhere it puts a clip by.
const at = (key, place) => {
  const choices = Object.hasOwn(table.places, key) ? table.places[key] : [];
  return choices.find(([selector]) => place?.closest(selector))?.[1] ?? null;
};

const MOST_REMEMBERED = 3000;
const remembered = (key) => {
  const { memory } = table;
  if (!memory.has(key)) {
    if (memory.size >= MOST_REMEMBERED) memory.clear();
    memory.set(key, look(key));
  }
  return memory.get(key);
};

// words.py does the same for tests and style sheets.
const look = (key) => exactly(key) ?? joined(key, /(?<=[.!?…]) (?=[A-Z“])/, "") ?? byPattern(key) ?? joined(key, /, | and | · /, "、") ?? complaint(key);

const exactly = (key) => {
  const [first] = key;
  const other = (first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()) + key.slice(1);
  return [key, other].map((each) => (Object.hasOwn(table.exact, each) ? table.exact[each] : null)).find((words) => words !== null) ?? null;
};

const byPattern = (key) => {
  for (const [pattern, words] of table.patterns) {
    const found = pattern.exec(key);
    // What $1 caught may be a phrase itself ("no room: tempo"); what %1 caught is somebody's own name.
    if (found) return words.replace(/([$%])(\d)/g, (_, sign, group) => { const part = found[group] ?? ""; return (sign === "$" && part && look(part.trim())) || part; });
  }
  return null;
};

const joined = (key, between, by) => {
  const parts = key.split(between);
  const told = parts.length > 1 ? parts.map((part) => (/[A-Za-z]/.test(part) ? look(part) : part)) : [null];
  return told.includes(null) ? null : told.join(by);
};

// An error: what was wrong, then why.
const complaint = (key) => {
  const found = /^([^:]{1,60}): (.+)$/.exec(key);
  const why = found && look(found[2]);
  return why ? `${look(found[1]) ?? found[1]}：${why}` : null;
};

const setText = (node) => {
  const known = texts.get(node);
  if (known && node.data === known.told) return;
  if (node.parentElement?.closest(SKIP)) return;
  const told = t(node.data, node.parentElement);
  texts.set(node, { english: node.data, told });
  if (told !== node.data) node.data = told;
};

const setAttributes = (element) => {
  if (element.closest(SKIP)) return;
  const known = attributes.get(element) ?? {};
  for (const name of ATTRIBUTES) {
    const now = element.getAttribute(name);
    if (now === null || now === known[name]?.told) continue;
    const told = t(now, element);
    known[name] = { english: now, told };
    if (told !== now) element.setAttribute(name, told);
  }
  attributes.set(element, known);
};

// The chosen entry of a Gradio list is the value of an input: it is shown in the page's language and read in English.
const wrapInput = (input) => {
  if (inputs.has(input)) return;
  inputs.add(input);
  let english = NATIVE.get.call(input);
  let shown = english;
  const show = () => {
    shown = t(english, input);
    NATIVE.set.call(input, shown);
  };
  Object.defineProperty(input, "value", {
    configurable: true,
    get: () => { const now = NATIVE.get.call(input); return now === shown ? english : now; },
    set: (value) => { english = value; show(); },
  });
  bus.addEventListener("language", show);
  show();
};

const visit = (root) => {
  if (root.nodeType === Node.TEXT_NODE) return setText(root);
  if (root.nodeType !== Node.ELEMENT_NODE || root.matches("script, style")) return undefined;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = root; node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) setText(node);
    else {
      setAttributes(node);
      if (node.matches('input[role="combobox"]')) wrapInput(node);
    }
  }
  return undefined;
};

const restoreEnglish = () => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const known = texts.get(node);
      if (known && node.data === known.told) node.data = known.english;
      texts.delete(node);
    } else {
      for (const [name, { english, told }] of Object.entries(attributes.get(node) ?? {})) {
        if (node.getAttribute(name) === told) node.setAttribute(name, english);
      }
      attributes.delete(node);
    }
  }
};

const observer = new MutationObserver((changes) => {
  if (!table) return;
  for (const change of changes) {
    if (change.type === "childList") change.addedNodes.forEach(visit);
    else if (change.type === "characterData") setText(change.target);
    else setAttributes(change.target);
  }
});

const load = async (name) => {
  const answer = await fetch(`studio/static/${name}.json`);
  const { exact, places, patterns } = await answer.json();
  return { exact, places, memory: new Map(), patterns: patterns.map(([pattern, words]) => [new RegExp(`^(?:${pattern})$`, "u"), words]) };
};

/** Shows the page in a language that LANGUAGES names. */
export const speak = async (name) => {
  if (table) restoreEnglish();
  table = name === "en" ? null : await load(name);
  language = name;
  document.documentElement.lang = name === "zh" ? "zh-Hans" : "en";
  store.set("language", name);
  const button = $("#language");
  if (button) {
    const other = name === "en" ? "zh" : "en";
    button.textContent = LANGUAGES[other];
    button.lang = other;
  }
  if (table) visit(document.body);
  bus.dispatchEvent(new CustomEvent("language", { detail: { name } }));
};

const first = () => {
  const asked = new URLSearchParams(location.search).get("lang") ?? store.get("language");
  if (asked in LANGUAGES) return asked;
  return navigator.languages?.[0]?.toLowerCase().startsWith("zh") ? "zh" : "en";
};

export const start = async () => {
  const button = document.createElement("button");
  button.type = "button";
  button.id = "language";
  button.setAttribute("translate", "no");
  button.addEventListener("click", () => speak(language === "en" ? "zh" : "en"));
  $("#theme")?.before(button);
  observer.observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
  await speak(first());
};
