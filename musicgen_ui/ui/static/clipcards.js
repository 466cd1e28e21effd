// A clip in a list: its sleeve, what it is, and what can be done with it, by mouse, finger and keyboard.
import { $$, emit, make, on, say, showRoom, toast } from "./bus.js";
import { el, icon, knob, typing } from "./dom.js";
import { clips } from "./routes.js";
import { DOWNLOADS, facts, fileOf, linkTo, when } from "./clipwords.js";
import { askText, copy, openMenu } from "./menu.js";
import { sleeve } from "./sleeve.js";
import * as player from "./player.js";

let sounding = { id: null, playing: false };

const markPlay = (button) => {
  const { of, title } = button.dataset;
  const now = of === sounding.id;
  const pressed = now && sounding.playing;
  button.closest(".clip")?.classList.toggle("sounds", now);
  button.setAttribute("aria-label", `${pressed ? "Pause" : "Play"} ${title}`);
  if (button.dataset.shows === String(pressed)) return;
  button.dataset.shows = pressed;
  button.replaceChildren(button.firstChild, icon(pressed ? "pause" : "play"));
};

on("player", ({ clip, playing }) => {
  const id = clip?.id ?? null;
  if (sounding.id === id && sounding.playing === playing) return;
  sounding = { id, playing };
  $$(".sleeve-button").forEach(markPlay);
});

/** Shows a change at once, and takes it back with the reason where the server refuses it. */
const change = async (clip, values, ask) => {
  emit("clip-changed", { clip: { ...clip, ...values } });
  try {
    const told = await ask();
    if (told?.id === clip.id) emit("clip-changed", { clip: told });
    return true;
  } catch (error) {
    emit("clip-changed", { clip });
    toast(error.message);
    return false;
  }
};

export const keep = async (clip, kept = !clip.kept) => {
  if (await change(clip, { kept }, () => clips.keep(clip.id, kept))) say(kept ? "Kept in the library" : "Back in the history");
};

/** 1 likes, -1 dislikes; what is pressed already is taken back. */
export const like = async (clip, liked) => {
  const wanted = clip.liked === liked ? 0 : liked;
  const told = { 1: "Liked", 0: "Neither liked nor disliked", "-1": "Disliked" }[wanted];
  if (await change(clip, { liked: wanted }, () => clips.like(clip.id, wanted))) say(told);
};

export const remove = async (clip) => {
  emit("clip-gone", { id: clip.id });
  try {
    await clips.remove([clip.id]);
  } catch (error) {
    emit("library");
    toast(error.message);
    return;
  }
  const back = () => clips.restore([clip.id]).catch((error) => toast(error.message));
  toast("Deleted", { label: "Undo", action: back });
};

const openInStudio = async (clip) => {
  showRoom("studio");
  try {
    await make({ action: "open", clip: clip.id });
  } catch (error) {
    if (error.message !== "stopped") toast(error.message);
  }
};

const editTags = async (clip) => {
  const given = await askText("Tags", "Words that you find it by", { value: clip.tags.join(", "), words: "Save tags", most: 200, hint: "Put a comma between two tags. An empty line takes all of them away.", empty: true });
  if (given === null) return;
  const tags = [...new Set(given.split(",").map((tag) => tag.trim()).filter(Boolean))];
  change(clip, { tags }, () => clips.tag(clip.id, tags));
};

const rename = (card, clip) => {
  const title = card.querySelector(".title");
  if (!title) return;
  const field = el("input.rename", { type: "text", value: clip.title, maxLength: 80, "aria-label": "Title" });
  let over = false;
  const end = (save) => {
    if (over) return;
    over = true;
    const given = field.value.trim();
    const held = document.activeElement === field;
    field.replaceWith(title);
    if (held) card.querySelector(".sleeve-button")?.focus();
    if (save && given && given !== clip.title) change(clip, { title: given }, () => clips.rename(clip.id, given));
  };
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") end(true);
    if (event.key === "Escape") end(false);
  });
  field.addEventListener("blur", () => end(true));
  title.replaceWith(field);
  field.select();
};

const downloads = (button, clip) =>
  openMenu(button, "Download", DOWNLOADS.map(([kind, words]) => ({ words, href: fileOf(clip, kind) })));

const openActions = (button, card, clip, more) =>
  openMenu(button, `${clip.title}: what to do with it`, [
    { words: "Open in the studio", icon: "desk", does: () => openInStudio(clip) },
    { words: "Find similar", icon: "wave", does: () => emit("find-similar", { clip }) },
    { words: "Is this new?", icon: "star", does: () => emit("is-it-new", { clip }) },
    "-",
    { words: "Add to a playlist", icon: "list", does: () => emit("add-to-playlist", { clip }) },
    ...more,
    { words: "Rename", icon: "edit", does: () => rename(card, clip) },
    { words: "Tags", icon: "tag", does: () => editTags(clip) },
    { words: clip.liked === 1 ? "Take the like back" : "Like", icon: "like", kind: "narrow", does: () => like(clip, 1) },
    { words: clip.liked === -1 ? "Take the dislike back" : "Dislike", icon: "dislike", kind: "narrow", does: () => like(clip, -1) },
    "-",
    { words: "Copy a link to it", icon: "link", does: () => copy(linkTo(clip), "Link copied. Whoever opens it makes the same clip.") },
    { words: "Download", icon: "down", does: () => downloads(button, clip) },
    { words: "Delete", icon: "trash", kind: "grave", does: () => remove(clip) },
  ]);

const toggle = (name, label, pressed, onclick, kind) =>
  knob(name, label, onclick, { "aria-pressed": String(pressed), className: `knob ${kind}`, "data-does": kind });

const KEYS = { l: (clip) => like(clip, 1), d: (clip) => like(clip, -1), k: (clip) => keep(clip), Delete: remove };

/** The picture that plays: a button. */
export const sleeveButton = (clip, playIt) => {
  const press = () => (sounding.id === clip.id ? player.toggle() : playIt());
  const button = el("button.sleeve-button", { type: "button", onclick: press, "data-of": clip.id, "data-title": clip.title, "data-does": "play" }, sleeve(clip));
  markPlay(button);
  return button;
};

/** The element of a clip. `playIt` plays it from its list; `extra` stands before the other buttons; `more` is added to its menu. */
export const clipCard = (clip, { playIt, extra = [], more = [], move = null, under = null }) => {
  const card = el("div.clip", { "data-of": clip.id });
  const title = el("b.title", { translate: "no", title: clip.title, ondblclick: () => rename(card, clip) }, clip.title);
  const menu = knob("more", `More for ${clip.title}`, () => openActions(menu, card, clip, more), { "aria-haspopup": "menu", "aria-expanded": "false", "data-does": "more" });
  const line = el("p.facts", {}, clip.liked ? el("span.mark", { title: clip.liked > 0 ? "Liked" : "Disliked" }, icon(clip.liked > 0 ? "like" : "dislike")) : null, ...facts(clip));
  const tags = el("p.tags", {}, ...clip.tags.slice(0, 3).map((tag) => el("button.tag", { type: "button", "aria-label": `Tag ${tag}: show all`, onclick: () => emit("show-tag", { tag }) }, el("span", { translate: "no" }, tag))));
  card.append(
    sleeveButton(clip, playIt),
    el("div.what", {}, el("p.name", {}, title), under ?? line),
    ...(clip.tags.length ? [tags] : []),
    el("p.when", {}, when(clip.made), clip.plays ? el("span.plays", { title: "Times played" }, icon("play"), el("b", {}, clip.plays)) : null),
    el(
      "div.does",
      {},
      ...extra,
      toggle("dislike", `Dislike ${clip.title}`, clip.liked === -1, () => like(clip, -1), "dislike"),
      toggle("like", `Like ${clip.title}`, clip.liked === 1, () => like(clip, 1), "like"),
      toggle("heart", clip.kept ? `Kept: put ${clip.title} back into the history` : `Keep ${clip.title}`, clip.kept, () => keep(clip), "keep"),
      menu,
    ),
  );
  markPlay(card.firstChild);
  card.addEventListener("keydown", (event) => {
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (steps && move) move(steps);
    else if (event.key === "F2") rename(card, clip);
    else if (KEYS[event.key]) KEYS[event.key](clip);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  card.addEventListener("dblclick", (event) => {
    if (!event.target.closest("button, input, .title")) playIt();
  });
  return card;
};
