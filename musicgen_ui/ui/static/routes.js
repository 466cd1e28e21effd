// The server's routes that the rooms use, each by what it does.
import { api, emit } from "./bus.js";

const BASE = "studio/library";
const CLIPS = `${BASE}/clips`;
const LISTS = "studio/playlists";
const AT_ONCE = 1000;

const query = (values) => {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") asked.set(name, value);
  }
  return asked.size ? `?${asked}` : "";
};
const span = ([low, high]) => (low === null && high === null ? null : `${low ?? ""}..${high ?? ""}`);
const spans = (values) => Object.fromEntries(Object.entries(values).map(([name, ends]) => [name, span(ends)]));

const post = (path, body = {}) => api(path, { method: "POST", body });
const changed = async (answer) => {
  const told = await answer;
  emit("library");
  return told;
};
const inParts = async (path, ids) => {
  for (let i = 0; i < ids.length; i += AT_ONCE) await post(path, { clips: ids.slice(i, i + AT_ONCE) });
};

export const clips = {
  /** `heard` and `tempo` are [low, high], null for an open end; gives {clips, total}. */
  list: ({ heard = {}, tempo = [null, null], ...asked }) => api(`${CLIPS}${query({ ...asked, ...spans({ tempo, ...heard }) })}`),
  facets: () => api(`${BASE}/facets`),
  get: (id) => api(`${CLIPS}/${id}`),
  keep: (id, kept) => post(`${CLIPS}/${id}/keep`, { kept }),
  like: (id, liked) => post(`${CLIPS}/${id}/like`, { liked }),
  rename: (id, title) => post(`${CLIPS}/${id}/title`, { title }),
  tag: (id, tags) => post(`${CLIPS}/${id}/tags`, { tags }),
  remove: (ids) => changed(inParts(`${CLIPS}/delete`, ids)),
  restore: (ids) => changed(inParts(`${CLIPS}/restore`, ids)),
  emptyHistory: () => changed(post(`${BASE}/empty-history`)),
};

export const library = {
  counts: () => api(`${BASE}/counts`),
  /** Gives {url} of a zip. */
  exported: () => post(`${BASE}/export`),
  imported: (file) => changed(api(`${BASE}/import`, { method: "POST", body: file })),
  forget: () => post(`${BASE}/forget`, { sure: true }),
};

export const playlists = {
  all: async () => (await api(LISTS)).playlists,
  get: (id) => api(`${LISTS}/${id}`),
  create: (name, ids = []) => post(LISTS, { name, clips: ids }),
  rename: (id, name) => post(`${LISTS}/${id}/name`, { name }),
  remove: (id) => post(`${LISTS}/${id}/delete`),
  restore: (id) => post(`${LISTS}/${id}/restore`),
  add: (id, ids, at = null) => post(`${LISTS}/${id}/add`, { clips: ids, at }),
  takeOut: (id, position, clip) => post(`${LISTS}/${id}/remove`, { position, clip }),
  order: (id, ids) => post(`${LISTS}/${id}/order`, { clips: ids }),
  duplicate: (id, name) => post(`${LISTS}/${id}/duplicate`, { name }),
  /** `kind`: m3u, zip or json; gives {url}. */
  file: (id, kind) => post(`${LISTS}/${id}/download`, { kind }),
  /** {token} for a link; null where it would be too long. */
  share: (id) => api(`${LISTS}/${id}/share`),
  /** Takes in what somebody shared: {token} or {playlist}. */
  open: (shared) => changed(post(`${LISTS}/open`, shared)),
};

export const taste = {
  get: () => api("studio/taste"),
  set: (on) => api("studio/taste", { method: "PUT", body: { on } }),
  reset: () => post("studio/taste/reset"),
};

export const matching = {
  likeClip: (clip, begin, end) => post("studio/similar/clip", { clip, begin, end }),
  likeSound: (wav, hummed) => api(`studio/similar/sound${query({ hummed })}`, { method: "POST", body: wav }),
  novelty: (clip) => post("studio/similar/novelty", { clip }),
};
