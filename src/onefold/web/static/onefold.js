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

  // A table that is wider than its block says so; without a cue its last columns are cut unseen.
  const wide = (block) => block.toggleAttribute("data-wide", block.scrollWidth > block.clientWidth + 1);
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => wide(target)));
  const watch = () => {
    for (const block of document.querySelectorAll(".scroll")) {
      wide(block);
      sizes.observe(block);
    }
  };
  watch();
  document.addEventListener("htmx:afterSwap", watch);

  // On a phone the second and later recommendations begin as headlines.
  if (matchMedia("(max-width: 767px)").matches) {
    for (const advice of document.querySelectorAll(".advice ~ .advice")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain unfold";
      const fold = (folded) => {
        advice.toggleAttribute("data-folded", folded);
        button.setAttribute("aria-expanded", String(!folded));
        button.textContent = folded ? "Show why and how" : "Show less";
      };
      button.addEventListener("click", () => fold(!advice.hasAttribute("data-folded")));
      fold(true);
      advice.append(button);
    }
  }
  document.querySelector(".stops .current")?.scrollIntoView({ block: "nearest", inline: "center" });
})();
