// A clip's link, what a link promised, and files whose recipe sets the sliders.
import { $, api, emit, make, on, restore, say, showRoom, toast } from "./bus.js";
import { clips } from "./routes.js";
import { t } from "./words.js";

const MAX_FILE = 64_000_000;
let shown = null;
// SHA-256 that the link promised of the clip that is being made.
let awaited = "";

/** The address that makes a clip again. */
export const linkTo = (clip) => {
  const address = new URL(location.href);
  address.hash = "";
  address.search = new URLSearchParams({ r: clip.code, h: clip.hash, t: clip.title });
  return address.href;
};

/** Puts a clip's link on the clipboard; where that is forbidden, shows it. */
export const copyLink = async (clip) => {
  const link = linkTo(clip);
  try {
    await navigator.clipboard.writeText(link);
    toast("Link copied. It makes the same clip again.");
  } catch {
    prompt(t("Copy this link"), link);
  }
};

const button = (text, act, { id = "", hint = "" } = {}) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (id) made.id = id;
  if (hint) made.title = hint;
  made.addEventListener("click", act);
  return made;
};

const verdict = (clip, promised, unlike) => {
  const line = document.createElement("p");
  line.id = "verdict";
  const same = clip.hash === promised;
  line.className = same ? "same" : "other";
  line.textContent = same
    ? "Exactly the clip that was shared: every byte is the same."
    : unlike
      ? "Not byte for byte the clip that was shared, which was made by something else:"
      : "Not byte for byte the clip that was shared: another processor rounds differently.";
  if (!same && unlike) {
    const names = document.createElement("span");
    names.textContent = unlike;
    line.append(" ", names);
  }
  say(line.textContent);
  return line;
};

const show = (clip, promised, unlike) => {
  shown = clip;
  const box = $("#clip-actions");
  if (!box) return;
  box.replaceChildren();
  const keep = button(clip.kept ? "Kept" : "Keep", async () => {
    try {
      shown = await clips.keep(shown.id, !shown.kept);
      keep.textContent = shown.kept ? "Kept" : "Keep";
      keep.setAttribute("aria-pressed", String(shown.kept));
      emit("library");
    } catch (error) {
      toast(error.message);
    }
  }, { id: "keep", hint: "Puts the clip into your library" });
  keep.setAttribute("aria-pressed", String(clip.kept));
  box.append(
    keep,
    button("Copy link", () => copyLink(shown), { id: "copy-link", hint: "The whole recipe is in the link" }),
    button("Find similar", () => { emit("find-similar", { clip: shown }); }, { id: "find-similar" }),
    button("Is this new?", () => { emit("is-it-new", { clip: shown }); }, { id: "is-new", hint: "Looks for the nearest piece that the composer learned from" }),
  );
  if (promised) box.append(verdict(clip, promised, unlike));
};

const openLink = () => {
  const query = new URLSearchParams(location.search);
  const code = query.get("r");
  if (!code) return;
  const promised = query.get("h") ?? "";
  const title = query.get("t") ?? "";
  restore(code);
  // The link has done its work: a reload is to keep what the person does from here on.
  history.replaceState(null, "", location.pathname + location.hash);
  awaited = promised;
  // Restoring has the page's attention for a moment; the clip comes after it.
  setTimeout(() => make({ action: "open", code, title }, { to: "stage" }).catch((error) => toast(error.message)), 600);
};

const readFile = async (file) => {
  if (file.size > MAX_FILE) return toast("The file is too large to hold a recipe.");
  try {
    const { code, title } = await api("studio/recipe", { method: "POST", body: file });
    showRoom("studio");
    restore(code);
    toast("The sliders are as they were when this file was made.", {
      label: "Make it again",
      action: () => make({ action: "open", code, title }).catch((error) => toast(error.message)),
    });
  } catch (error) {
    toast(error.message);
  }
};

const dropHere = () => {
  let depth = 0;
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const foreign = (event) => event.target instanceof Element && event.target.closest(".upload-container, [data-drop]");
  document.addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; document.body.dataset.drop = "yes"; } });
  document.addEventListener("dragleave", (event) => { if (files(event) && (depth -= 1) <= 0) { depth = 0; delete document.body.dataset.drop; } });
  document.addEventListener("dragover", (event) => { if (files(event) && !foreign(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    depth = 0;
    delete document.body.dataset.drop;
    if (!files(event) || foreign(event)) return;
    event.preventDefault();
    readFile(event.dataTransfer.files[0]);
  });
  const pick = document.createElement("input");
  pick.type = "file";
  pick.id = "recipe-file";
  pick.className = "sr";
  pick.tabIndex = -1;
  pick.setAttribute("aria-label", "File with a recipe");
  pick.accept = ".wav,.flac,.mp3,.ogg,.mid,.midi,.json,.zip";
  pick.addEventListener("change", () => { if (pick.files[0]) readFile(pick.files[0]); pick.value = ""; });
  $("#tools")?.prepend(button("Open a file", () => pick.click(), { id: "open-file", hint: "A WAV, FLAC, MP3, OGG or MIDI file made here sets the sliders again" }), pick);
};

export const start = () => {
  on("clip", ({ clip, to, unlike }) => {
    if (to !== "stage") return;
    show(clip, unlike === undefined ? "" : awaited, unlike);
    awaited = "";
  });
  dropHere();
  openLink();
};
