// What is done with the whole library: take it away as a file, bring one, clear the history, be forgotten.
import { emit, store, toast } from "./bus.js";
import { el } from "./dom.js";
import { clips, library } from "./routes.js";
import { confirmed } from "./menu.js";

const failed = (error) => toast(error.message);

/** Lets the browser fetch a file that the server has ready. */
export const fetchFile = (url) => {
  const link = el("a", { href: url, download: "" });
  document.body.append(link);
  link.click();
  link.remove();
};

const exportAll = async () => {
  try {
    const { url } = await library.exported();
    fetchFile(url);
    toast("Your library goes into your downloads: one zip with all clips, playlists and likes.");
  } catch (error) {
    failed(error);
  }
};

const importFile = () => {
  const field = el("input", { type: "file", accept: ".zip,application/zip" });
  field.addEventListener("change", async () => {
    const [file] = field.files;
    if (!file) return;
    try {
      const { clips: fresh, merged } = await library.imported(file);
      toast(fresh ? `Clips that came in: ${fresh}` : merged ? "All of it was here already." : "There was no clip in it.");
    } catch (error) {
      failed(error);
    }
  });
  field.click();
};

const emptyHistory = async () => {
  try {
    const { clips: gone } = await clips.emptyHistory();
    if (!gone?.length) toast("The history is empty already.");
    else toast("The history is empty.", { label: "Undo", action: () => clips.restore(gone).catch(failed) });
  } catch (error) {
    failed(error);
  }
};

const forgetMe = async () => {
  const wanted = await confirmed(
    "Forget me",
    "All your clips, playlists, likes and what the studio learned about your taste are deleted from the server now. This cannot be undone. Export everything first if you may want it back.",
    "Delete everything",
  );
  if (!wanted) return;
  try {
    await library.forget();
    store.drop("person");
    toast("You are forgotten. What you make now starts anew.");
    setTimeout(() => location.replace(location.pathname), 1500); // with another token
  } catch (error) {
    failed(error);
  }
};

/** The entries of the Library's menu. */
export const libraryMenu = () => [
  { words: "Export everything", icon: "down", does: exportAll },
  { words: "Import a library", icon: "file", does: importFile },
  { words: "Open a playlist file", icon: "list", does: () => emit("open-playlist-file") },
  "-",
  { words: "Empty the history", icon: "trash", does: emptyHistory },
  { words: "Forget me", icon: "close", kind: "grave", does: forgetMe },
];
