// Rows that are put in order by hand: with a mouse, or with a finger on the grip.

/** Lets the items of a list be dragged by their `.grip`; `moved(from, to)` is called once, at the end. */
export const dragOrder = (list, moved) => {
  list.addEventListener("pointerdown", (event) => {
    const grip = event.target instanceof Element ? event.target.closest("span.grip") : null;
    const row = grip?.closest("li");
    if (!row || event.button !== 0) return;
    event.preventDefault();
    const rows = [...list.children];
    const from = rows.indexOf(row);
    const begin = event.clientY + scrollY;
    const step = row.offsetHeight + (rows[1] ? rows[1].offsetTop - rows[0].offsetTop - rows[0].offsetHeight : 0);
    let to = from;
    let shift = 0;
    let edge = 0;
    row.classList.add("dragged");
    grip.setPointerCapture(event.pointerId);

    const lay = () => {
      row.style.transform = `translateY(${shift}px)`;
      rows.forEach((each, i) => {
        if (each === row) return;
        const aside = i > from && i <= to ? -step : i < from && i >= to ? step : 0;
        each.style.transform = aside ? `translateY(${aside}px)` : "";
      });
    };
    const follow = (y) => {
      shift = Math.max(-from * step, Math.min((rows.length - 1 - from) * step, y + scrollY - begin));
      to = from + Math.round(shift / step);
      lay();
    };
    let last = event.clientY;
    const onMove = (now) => {
      last = now.clientY;
      edge = last < 90 ? -8 : last > innerHeight - 130 ? 8 : 0;
      follow(last);
    };
    const roll = setInterval(() => { if (edge) { scrollBy(0, edge); follow(last); } }, 16);
    const end = (dropped) => {
      clearInterval(roll);
      grip.removeEventListener("pointermove", onMove);
      row.classList.remove("dragged");
      rows.forEach((each) => { each.style.transform = ""; });
      if (dropped && to !== from) moved(from, to);
    };
    grip.addEventListener("pointermove", onMove);
    grip.addEventListener("pointerup", () => end(true), { once: true });
    grip.addEventListener("pointercancel", () => end(false), { once: true });
  });
};
