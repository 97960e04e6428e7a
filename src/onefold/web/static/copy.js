// A button on each snippet that copies it; without scripts the text can still be selected.
"use strict";
for (const snippet of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button spaced";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${snippet.dataset.copy}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(snippet.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  snippet.append(button);
}
