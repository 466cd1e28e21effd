// A playlist given on: as a link, as a list, as a zip with the sound; and taken in from one.
import { showRoom, toast } from "./bus.js";
import { el } from "./dom.js";
import { fetchFile } from "./belongings.js";
import { copy } from "./menu.js";
import { playlists } from "./routes.js";

const failed = (error) => toast(error.message);

/** Downloads a playlist: m3u, zip or json. */
export const take = async (list, kind) => {
  try {
    fetchFile((await playlists.file(list.id, kind)).url);
  } catch (error) {
    failed(error);
  }
};

/** Copies a link to a playlist. */
export const share = async (list) => {
  try {
    const { token } = await playlists.share(list.id);
    if (!token) {
      toast("This list is too long for a link. Its file can be given on instead.", { label: "Take the file", action: () => take(list, "json") });
      return;
    }
    const link = new URL(location.href);
    [link.hash, link.search] = ["", ""];
    link.searchParams.set("p", token);
    await copy(link.href, "Link copied. Whoever opens it can make the same clips.");
  } catch (error) {
    failed(error);
  }
};

/** Takes in a playlist's file; `shown` hears of it. */
export const openFile = (shown) => {
  const field = el("input", { type: "file", accept: ".json,application/json" });
  field.addEventListener("change", async () => {
    try {
      shown(await playlists.open({ playlist: JSON.parse(await field.files[0].text()) }));
    } catch (error) {
      toast(error instanceof SyntaxError ? "This file is no playlist." : error.message);
    }
  });
  field.click();
};

/** A link to a playlist was opened: it is taken in once, and shown. */
export const openLink = async (shown) => {
  const here = new URL(location.href);
  const token = here.searchParams.get("p");
  if (!token) return;
  here.searchParams.delete("p");
  history.replaceState(null, "", here);
  try {
    const made = await playlists.open({ token });
    showRoom("library");
    await shown(made);
    toast("This playlist is yours now. Its clips are made when you play them.");
  } catch (error) {
    failed(error);
  }
};
