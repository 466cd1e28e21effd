// A list of any length: only what can be seen is in the page, and only the pages that are looked at are asked for.
import { el } from "./dom.js";

export const PAGE = 60;
const BEYOND = 500; // pixels above and below the screen that are drawn too
const GAP = 8;
const TILE = 180;
const UNDER_TILE = 92;

/** A list of clips.
 *
 * `load(page, size)` promises `{clips, total}`; `draw(clip, index)` gives an element; `told({total})` hears how many
 * there are; `failed(error)` hears what went wrong. `tiles` draws squares in columns in place of rows. */
export class LongList {
  constructor({ label, load, draw, told, failed }) {
    Object.assign(this, { load, draw, told, failed, tiles: false, total: 0, pages: new Map(), asking: new Map(), nodes: new Map(), changed: new Map(), turn: 0, time: 0 });
    this.box = el("div.long", { role: "list", "aria-label": label });
    const look = () => this.draws || (this.draws = requestAnimationFrame(() => { this.draws = 0; this.show(); }));
    document.addEventListener("scroll", look, { passive: true, capture: true });
    const watch = new ResizeObserver(look);
    watch.observe(this.box);
    watch.observe(document.body); // what lies above it opened or closed
  }

  get shape() {
    const width = this.box.clientWidth;
    if (!this.tiles) return { columns: 1, width, height: innerWidth < 720 ? 76 : 70, gap: innerWidth < 720 ? 0 : 4 };
    const columns = Math.max(2, Math.floor((width + GAP) / (TILE + GAP)));
    const tile = (width - GAP * (columns - 1)) / columns;
    return { columns, width: tile, height: tile + UNDER_TILE, gap: GAP };
  }

  clip(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** What is loaded, from one place on, without a hole. */
  from(index, most = 200) {
    const found = [];
    for (let i = index; i < Math.min(this.total, index + most) && this.clip(i); i += 1) found.push(this.clip(i));
    return found;
  }

  /** Everything anew from the top. */
  async reset() {
    this.turn += 1;
    this.pages.clear();
    this.asking.clear();
    this.box.setAttribute("aria-busy", "true");
    await this.ask(0);
    for (const node of this.nodes.values()) node.remove();
    this.nodes.clear();
    this.box.removeAttribute("aria-busy");
    this.show();
  }

  /** What is in sight anew, and the rest when it comes in sight; nothing jumps. */
  async refresh() {
    const seen = [...new Set([...this.nodes.keys()].map((index) => Math.floor(index / PAGE)))];
    this.turn += 1;
    this.asking.clear();
    for (const page of [...this.pages.keys()]) if (!seen.includes(page)) this.pages.delete(page);
    await Promise.all((seen.length ? seen : [0]).map((page) => this.ask(page)));
    this.show(true);
  }

  ask(page) {
    if (this.asking.has(page)) return this.asking.get(page);
    const { turn, time } = this;
    const asked = this.load(page, PAGE).then(
      ({ clips, total }) => {
        if (turn !== this.turn) return;
        // What was changed since this was asked for is newer than the answer.
        this.pages.set(page, clips.map((clip) => (this.changed.get(clip.id)?.time > time ? this.changed.get(clip.id).clip : clip)));
        this.total = total;
        this.told({ total });
      },
      (error) => { if (turn === this.turn) { this.asking.delete(page); this.failed(error); } },
    );
    this.asking.set(page, asked);
    return asked;
  }

  /** Puts a changed clip in its place. */
  put(clip) {
    this.time += 1;
    this.changed.set(clip.id, { clip, time: this.time });
    for (const [page, clips] of this.pages) {
      const at = clips.findIndex((each) => each.id === clip.id);
      if (at < 0) continue;
      clips[at] = clip;
      this.redraw(page * PAGE + at);
    }
  }

  redraw(index) {
    const [old, clip] = [this.nodes.get(index), this.clip(index)];
    if (!old || !clip || old.querySelector("input.rename")) return; // nobody's typing is swept away
    const held = old.contains(document.activeElement) ? document.activeElement.dataset.does : null;
    const node = this.node(index, clip);
    old.replaceWith(node);
    if (held) (node.querySelector(`[data-does="${held}"]`) ?? node.querySelector("button"))?.focus({ preventScroll: true });
  }

  node(index, clip) {
    const node = clip ? this.draw(clip, index) : el("div.clip.waits", { "aria-hidden": "true" });
    if (clip) {
      node.setAttribute("role", "listitem");
      node.setAttribute("aria-setsize", this.total);
      node.setAttribute("aria-posinset", index + 1);
    }
    node.dataset.index = index;
    node.shown = clip;
    this.nodes.set(index, node);
    this.lay(node, index);
    return node;
  }

  lay(node, index, { columns, width, height, gap } = this.shape) {
    const [row, column] = [Math.floor(index / columns), index % columns];
    node.style.cssText = `transform:translate(${column * (width + gap)}px,${row * (height + gap)}px);width:${width}px;height:${height}px`;
  }

  show(again = false) {
    if (!this.box.offsetParent) return;
    const shape = this.shape;
    const { columns, height, gap } = shape;
    this.box.classList.toggle("tiles", this.tiles);
    this.box.style.height = `${Math.max(0, Math.ceil(this.total / columns) * (height + gap) - gap)}px`;
    const top = this.box.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor((-top - BEYOND) / (height + gap)) * columns);
    const last = Math.min(this.total, Math.ceil((innerHeight - top + BEYOND) / (height + gap)) * columns);
    for (const [index, node] of [...this.nodes]) {
      const away = index < first || index >= last;
      if (index >= this.total || (away && !node.contains(document.activeElement))) {
        node.remove();
        this.nodes.delete(index);
      } else this.lay(node, index, shape);
    }
    let before = null;
    for (let index = first; index < last; index += 1) {
      const clip = this.clip(index);
      if (!clip) this.ask(Math.floor(index / PAGE)).then(() => this.clip(index) && !this.nodes.get(index)?.shown && this.show());
      let node = this.nodes.get(index);
      if (!node) {
        node = this.node(index, clip);
        if (before) before.after(node);
        else this.box.prepend(node);
      } else if (clip && (again || !node.shown) && node.shown !== clip) {
        this.redraw(index);
        node = this.nodes.get(index);
      }
      before = node;
    }
  }

  /** Moves the focus to the clip at a place, which comes into sight. */
  focus(index) {
    if (index < 0 || index >= this.total) return;
    const { columns, height, gap } = this.shape;
    const top = this.box.getBoundingClientRect().top + Math.floor(index / columns) * (height + gap);
    const [head, foot] = [90, innerHeight - 110]; // the page's head and the player lie over it
    if (top < head) scrollBy(0, top - head);
    else if (top + height > foot) scrollBy(0, top + height - foot);
    this.show();
    this.nodes.get(index)?.querySelector("button")?.focus({ preventScroll: true });
  }
}
