// Starts the page's modules once Gradio has drawn its controls.
import { $, ROOMS, showRoom, startBus } from "./bus.js";
import { startDesk } from "./desk.js";

const MODULES = ["player", "figures", "mixer", "workbench", "library", "playlists", "foryou", "similar", "share", "memory", "about", "words"].map((name) => `./${name}.js`);

const ready = () =>
  new Promise((done) => {
    const look = () => {
      if ($("#generate") && $("#made-data") && $("#rooms")) done();
      else setTimeout(look, 30);
    };
    look();
  });

await ready();
startBus();
startDesk();
// A module that fails must not take the others with it.
for (const path of MODULES) {
  try {
    await (await import(path)).start();
  } catch (error) {
    console.error(path, error);
  }
}
document.addEventListener("click", (event) => {
  const tab = event.target instanceof Element ? event.target.closest("#rooms button") : null;
  if (tab) showRoom(tab.dataset.room);
});
window.addEventListener("hashchange", () => showRoom(location.hash.slice(1)));
showRoom(ROOMS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "studio");
document.body.dataset.ready = "yes";
