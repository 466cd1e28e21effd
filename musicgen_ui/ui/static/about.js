// The About room: the person's secret, and where programs find the studio.
import { $, person, store, toast } from "./bus.js";
import { t } from "./words.js";

export const start = () => {
  const token = $("#token");
  $("#mcp-address").textContent = new URL("gradio_api/mcp/", location.href.split(/[?#]/)[0]).href;
  $("#show-token").addEventListener("click", (event) => {
    token.hidden = !token.hidden;
    token.textContent = token.hidden ? "" : person();
    event.target.textContent = token.hidden ? "Show my secret" : "Hide my secret";
  });
  $("#other-token").addEventListener("click", () => {
    const other = prompt(t("Secret of the library to use (32 characters, 0 to 9 and a to f)"))?.trim().toLowerCase();
    if (!other) return;
    if (!/^[0-9a-f]{32}$/.test(other)) {
      toast("That is no secret of a library.");
      return;
    }
    store.set("person", other);
    location.reload();
  });
};
