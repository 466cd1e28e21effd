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

/** A phrase in the page's language; English where the table has none. */
export const t = (phrase) => {
  if (!table) return phrase;
  const key = phrase.replace(/\s+/g, " ").trim();
  if (!key) return phrase;
  const [, before, after] = /^(\s*)[^]*?(\s*)$/.exec(phrase);
  const whole = look(key);
  return whole === null ? phrase : before + whole + after;
};

const look = (key) => {
  if (Object.hasOwn(table.exact, key)) return table.exact[key];
  for (const [pattern, words] of table.patterns) {
    const found = pattern.exec(key);
    // What a pattern caught may be a phrase itself: "Play take 3", "no room: tempo".
    if (found) return words.replace(/\$(\d)/g, (_, group) => { const part = found[group] ?? ""; return look(part) ?? part; });
  }
  return null;
};

const setText = (node) => {
  const known = texts.get(node);
  if (known && node.data === known.told) return;
  if (node.parentElement?.closest(SKIP)) return;
  const told = t(node.data);
  texts.set(node, { english: node.data, told });
  if (told !== node.data) node.data = told;
};

const setAttributes = (element) => {
  if (element.closest(SKIP)) return;
  const known = attributes.get(element) ?? {};
  for (const name of ATTRIBUTES) {
    const now = element.getAttribute(name);
    if (now === null || now === known[name]?.told) continue;
    const told = t(now);
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
    shown = t(english);
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
      if (node.matches('input[role="listbox"], input[aria-haspopup="listbox"]')) wrapInput(node);
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
  const { exact, patterns } = await answer.json();
  return { exact, patterns: patterns.map(([pattern, words]) => [new RegExp(`^(?:${pattern})$`, "u"), words]) };
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
