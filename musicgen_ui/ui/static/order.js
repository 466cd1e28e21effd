// What plays after what: the clips that wait, the list that one stands in, what was played before, and the person's wishes.
import { store } from "./bus.js";

/** What a new clip does while another plays. */
export const POLICIES = { after: "After this one", once: "At once", press: "Only when I press Play" };

export const settings = {
  get policy() { return store.get("when-ready") in POLICIES ? store.get("when-ready") : "after"; },
  set policy(value) { store.set("when-ready", value); },
  get crossfade() { return Math.min(8, Math.max(0, Number(store.get("crossfade") ?? 3))); },
  set crossfade(value) { store.set("crossfade", String(value)); },
};

const queue = [];
const history = [];
let list = { items: [], index: -1 };

export const sameClip = (one, other) => one !== null && other !== null && one !== undefined && one.id === other?.id;
/** Whether an item is a clip in the making that can be heard already. */
export const sounds = (item) => item.tape?.samples > 0;
const ready = (item) => item.clip || sounds(item);

export const setList = (items, index) => { list = items ? { items: [...items], index } : { items: [], index: -1 }; };
export const waits = (clip) => queue.some((item) => sameClip(item.clip, clip));
export const waiting = () => [...queue];
/** The newest that was worked for comes before what waits already; everything else after it. */
export const put = (item, first) => (first ? queue.unshift(item) : queue.push(item));
/** An item plays now, or is not wanted. */
export const take = (item) => {
  const place = queue.indexOf(item);
  if (place >= 0) queue.splice(place, 1);
  if (item.place !== undefined) list.index = item.place;
};
export const remember = (clip) => history.push(clip);

const fromList = () => {
  const place = list.index + 1;
  return list.index >= 0 && place < list.items.length ? { clip: list.items[place], place, crossfades: true } : null;
};
/** What follows by itself; null for nothing. */
export const following = () => queue.find((item) => !item.held && ready(item)) ?? fromList();
/** What follows when one asks for it. */
export const followingNow = () => queue.find(ready) ?? fromList();
export const before = () => {
  const place = list.index - 1;
  if (place >= 0) return { clip: list.items[place], place, back: true };
  const clip = history.pop();
  return clip ? { clip, back: true } : null;
};
/** What is to come: {item, count}; an item is {clip} or a clip in the making. */
export const upcoming = () => ({ item: queue[0] ?? null, count: queue.length + (list.index >= 0 ? list.items.length - 1 - list.index : 0) });
