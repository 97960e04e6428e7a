// What the frame adds when scripts run: popovers that close, and keys that close them.
"use strict";
(() => {
  const open = () => [...document.querySelectorAll("details.filter[open]")];
  document.addEventListener("click", (event) => {
    for (const each of open()) if (!each.contains(event.target)) each.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const each of open()) {
      each.open = false;
      each.querySelector("summary").focus();
    }
  });
  document.querySelector(".stops .current")?.scrollIntoView({ block: "nearest", inline: "center" });
})();
