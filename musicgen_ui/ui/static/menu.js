// What opens over the page: a menu under a button, and a question that must be answered.
import { $$, toast } from "./bus.js";
import { el, icon, knob } from "./dom.js";

let open = null;

const shut = (back = true) => {
  if (!open) return;
  const { box, button } = open;
  open = null;
  box.remove();
  button.setAttribute("aria-expanded", "false");
  if (back) button.focus();
};

const place = (box, button) => {
  const at = button.getBoundingClientRect();
  const room = 8;
  const width = box.offsetWidth;
  const height = box.offsetHeight;
  const below = at.bottom + 4 + height <= innerHeight - room || at.top < height;
  box.style.left = `${Math.max(room, Math.min(innerWidth - width - room, at.right - width))}px`;
  box.style.top = `${Math.max(room, Math.min(innerHeight - height - room, below ? at.bottom + 4 : at.top - height - 4))}px`;
};

const item = (entry) => {
  if (entry === "-") return el("hr", { role: "separator" });
  const inside = [entry.icon ? icon(entry.icon) : null, el("span", {}, entry.words)];
  const values = { role: "menuitem", tabIndex: -1 };
  const chosen = entry.href
    ? el("a", { ...values, href: entry.href, download: "", onclick: () => shut() }, ...inside)
    : el("button", { ...values, type: "button", onclick: () => { shut(); entry.does(); } }, ...inside);
  if (entry.kind) chosen.classList.add(entry.kind);
  return chosen;
};

/** Opens a menu under its button. Entries: `{words, icon, does}` or `{words, href}`, or "-" for a line between. */
export const openMenu = (button, label, entries) => {
  const same = open?.button === button;
  shut(false);
  if (same) return;
  const box = el("div.menu", { role: "menu", "aria-label": label }, ...entries.filter(Boolean).map(item));
  document.body.append(box);
  open = { box, button };
  button.setAttribute("aria-expanded", "true");
  place(box, button);
  const items = $$("[role=menuitem]", box);
  items[0]?.focus();
  box.addEventListener("keydown", (event) => {
    const now = items.indexOf(document.activeElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") shut();
    else if (event.key.length === 1 && event.key !== " ") {
      const begins = (each) => each.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase());
      [...items.slice(now + 1), ...items].find(begins)?.focus();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
};

document.addEventListener("pointerdown", (event) => {
  if (open && !open.box.contains(event.target) && !open.button.contains(event.target)) shut(false);
});
addEventListener("resize", () => shut(false));
addEventListener("scroll", (event) => { if (open && !open.box.contains(event.target)) shut(false); }, true);

/** A window over the page with a heading; it gives the focus back when it closes. */
export const openWindow = (heading, ...inside) => {
  const back = document.activeElement;
  const title = el("h2", { id: "window-title" }, heading);
  const box = el("dialog.window", { "aria-labelledby": "window-title" });
  const close = () => box.close();
  box.append(el("header", {}, title, knob("close", "Close", close)), ...inside);
  box.addEventListener("close", () => { box.remove(); if (back?.isConnected) back.focus(); });
  box.addEventListener("click", (event) => { if (event.target === box) close(); });
  document.body.append(box);
  box.showModal();
  return { box, close };
};

/** Asks before something that cannot be taken back; resolves to whether it is wanted. */
export const confirmed = (heading, text, words) =>
  new Promise((answer) => {
    let wanted = false;
    const yes = el("button.strong", { type: "button", onclick: () => { wanted = true; asked.close(); } }, words);
    const no = el("button.quiet", { type: "button", onclick: () => asked.close() }, "Leave it as it is");
    const asked = openWindow(heading, el("p", {}, text), el("div.foot", {}, no, yes));
    asked.box.addEventListener("close", () => answer(wanted));
    no.focus();
  });

/** Asks for a line of text; resolves to it, or to null. */
export const askText = (heading, label, { value = "", words = "Save", most = 80, hint = "", empty = false } = {}) =>
  new Promise((answer) => {
    let given = null;
    const field = el("input", { type: "text", value, maxLength: most, required: !empty });
    const form = el(
      "form",
      { method: "dialog", onsubmit: () => { given = field.value.trim(); } },
      el("label.field", {}, el("span", {}, label), field),
      hint ? el("p.hint", {}, hint) : null,
      el("div.foot", {}, el("button.strong", { type: "submit" }, words)),
    );
    const asked = openWindow(heading, form);
    asked.box.addEventListener("close", () => answer(given || (empty ? given : null)));
    field.select();
  });

/** Copies text, and says so. */
export const copy = async (text, told) => {
  try {
    await navigator.clipboard.writeText(text);
    toast(told);
  } catch {
    const field = el("input", { type: "text", value: text, readOnly: true, "aria-label": "Link" });
    openWindow("Copy this link", el("label.field", {}, field));
    field.select();
  }
};
