// The list of keys, which every module may add to.
import { el, typing } from "./dom.js";
import { openWindow } from "./menu.js";

const groups = new Map();

/** Adds keys to the list: `addKeys("Player", [["Space", "Play or pause"]])`. */
export const addKeys = (group, rows) => groups.set(group, [...(groups.get(group) ?? []), ...rows]);

const table = ([group, rows]) => [
  el("h3", {}, group),
  el("dl.keys", {}, ...rows.flatMap(([key, does]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, does)])),
];

export const openKeys = () => openWindow("Keys", ...[...groups].flatMap(table));

export const startKeys = () =>
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || typing(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    openKeys();
  });
