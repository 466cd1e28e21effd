// Starts the page's modules once Gradio has drawn its controls.
import { $, ROOMS, showRoom, startBus } from "./bus.js";
import { startDesk } from "./desk.js";

const MODULES = ["./player.js", "./workbench.js", "./library.js", "./playlists.js", "./similar.js", "./share.js"];

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
const started = await Promise.all(MODULES.map((path) => import(path)));
for (const module of started) module.start();
document.addEventListener("click", (event) => {
  const tab = event.target instanceof Element ? event.target.closest("#rooms button") : null;
  if (tab) showRoom(tab.dataset.room);
});
window.addEventListener("hashchange", () => showRoom(location.hash.slice(1)));
showRoom(ROOMS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "studio");
document.body.dataset.ready = "yes";
