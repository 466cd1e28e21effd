// Elements out of code: text goes in as text, so nothing that a person typed is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

const fill = (element, values, children) => {
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !(element instanceof SVGElement) && name !== "list" && name !== "translate") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
};

/** `el("button.quiet", { type: "button", onclick }, "Play")`: a tag with classes, attributes or listeners, children. */
export const el = (what, values = {}, ...children) => {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  return fill(element, values, children);
};

export const svg = (tag, values = {}, ...children) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const PATHS = {
  play: "M8 5.5v13l10.5-6.5z",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  heart: "M12 19.5s-7-4.3-7-9.4A3.9 3.9 0 0 1 12 7.8a3.9 3.9 0 0 1 7 2.3c0 5.1-7 9.4-7 9.4z",
  like: "M8 11l3.4-6.5c1.3 0 2.1 1 1.9 2.2L12.9 10h4.6c1.1 0 1.9 1 1.6 2.1l-1.3 5c-.2.8-.9 1.4-1.8 1.4H8zM8 11v7.5H5V11z",
  dislike: "M16 13l-3.4 6.5c-1.3 0-2.1-1-1.9-2.2l.4-3.3H6.5c-1.1 0-1.9-1-1.6-2.1l1.3-5C6.4 6.1 7.1 5.5 8 5.5h8zM16 13V5.5h3V13z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  search: "M10.5 16.5a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM15 15l4.5 4.5",
  rows: "M5 7h14M5 12h14M5 17h14",
  tiles: "M5 5h5.5v5.5H5zM13.5 5H19v5.5h-5.5zM5 13.5h5.5V19H5zM13.5 13.5H19V19h-5.5z",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  up: "M12 18V6.5M7 11l5-5 5 5",
  down: "M12 6v11.5M7 13l5 5 5-5",
  grip: "M9 7h.01M15 7h.01M9 12h.01M15 12h.01M9 17h.01M15 17h.01",
  plus: "M12 5.5v13M5.5 12h13",
  skip: "M6 6v12l8.5-6zM17.5 6v12",
  filter: "M5 7h14M8 12h8M10.5 17h3",
  microphone: "M12 14.5a3 3 0 0 0 3-3V7a3 3 0 1 0-6 0v4.5a3 3 0 0 0 3 3zM6 11.5a6 6 0 0 0 12 0M12 17.5v3",
  file: "M12 16V5.5M7.5 10L12 5.5l4.5 4.5M5 18.5h14",
  back: "M14.5 5.5L8 12l6.5 6.5",
  edit: "M5 19l1-4L15.5 5.5l3 3L9 18z",
  tag: "M5 5h6.5l7.5 7.5-6.5 6.5L5 11.5zM8.5 8.5h.01",
  list: "M5 7h9M5 12h9M5 17h6M18 10v8M15 15l3 3 3-3",
  wave: "M4 12h2l2-6 3 13 3-10 2 5 1.5-2H20",
  link: "M10 14a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1M14 10a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5l1-1",
  desk: "M7 5v14M12 5v14M17 5v14M5 9h4M10 15h4M15 8h4",
  trash: "M5 7h14M10 7V5h4v2M7 7l.8 12h8.4L17 7",
  star: "M12 5l2 4.7 5 .4-3.8 3.3 1.2 5L12 15.7 7.6 18.4l1.2-5L5 10.1l5-.4z",
  radio: "M12 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM8.5 15.5a5 5 0 0 1 0-7M15.5 8.5a5 5 0 0 1 0 7M6 18a8.5 8.5 0 0 1 0-12M18 6a8.5 8.5 0 0 1 0 12",
};

/** A line drawing of 24 by 24; it says nothing to a screen reader. */
export const icon = (name) =>
  svg("svg", { viewBox: "0 0 24 24", class: `icon ${name}`, "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));

/** A round button that shows an icon and is called by its label. */
export const knob = (name, label, onclick, values = {}) =>
  el("button.knob", { type: "button", "aria-label": label, title: label, onclick, ...values }, icon(name));

/** A button with an icon and words. */
export const action = (name, words, onclick, values = {}) =>
  el("button.action", { type: "button", onclick, ...values }, name ? icon(name) : null, el("span", {}, words));

/** Calls `work` when nobody has called for `wait` milliseconds. */
export const later = (work, wait) => {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), wait);
  };
};

export const plural = (count, one, many) => [el("b", {}, count.toLocaleString("en")), ` ${count === 1 ? one : many}`];

/** Whether somebody types here: then a letter is a letter, and no command. */
export const typing = (target) =>
  target instanceof Element && target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable=true]") !== null;

/** An empty container of the page, freed from what Gradio's text styles do to buttons and colours. */
export const ground = (id) => {
  const box = document.getElementById(id);
  box.closest(".gradio-style")?.classList.remove("prose", "gradio-style");
  return box;
};
