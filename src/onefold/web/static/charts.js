// Draws each chart block from its Vega-Lite spec, with the colours of the stylesheet's tokens.
"use strict";
(() => {
  const own = document.currentScript;
  const drawn = new Map();
  const needed = ["vega.min.js", "vega-lite.min.js", "vega-interpreter.min.js", "vega-embed.min.js"];
  let ready = null;

  const load = (name) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = new URL(`vendor/${name}`, own.src).href;
    script.async = false;
    script.onload = done;
    script.onerror = () => failed(new Error(`${name} did not load`));
    document.head.append(script);
  });

  // A token is light-dark(a, b); only a painted colour says which of the two holds.
  const probe = document.createElement("span");
  probe.className = "probe";
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (token) => {
    if (!probe.isConnected) document.body.append(probe);
    if (token === "sans") return getComputedStyle(document.body).fontFamily;
    probe.style.color = `var(--${token})`;
    canvas.fillStyle = "#000";
    canvas.fillStyle = getComputedStyle(probe).color;
    return canvas.fillStyle;
  };
  const resolve = (part) => {
    if (typeof part === "string") return part.startsWith("token:") ? colour(part.slice(6)) : part;
    if (Array.isArray(part)) return part.map(resolve);
    if (part && typeof part === "object") return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, resolve(value)]));
    return part;
  };
  const heightOf = (element) => (element.className.match(/h-(\d+)/) || [0, 220])[1] * 1;

  const draw = async (element, spec) => {
    drawn.set(element, spec);
    ready ||= needed.reduce((before, name) => before.then(() => load(name)), Promise.resolve());
    await ready;
    const rows = spec.data;
    const painted = resolve({ ...spec, data: undefined });
    let stage = element.querySelector(":scope > .stage");
    if (!stage) {
      stage = document.createElement("div");
      stage.className = "stage";
      element.append(stage);
    }
    const { view } = await window.vegaEmbed(stage, { height: heightOf(element), ...painted, data: rows }, {
      renderer: "svg", actions: false, ast: true, expr: window.vega.expressionInterpreter || window.vegaInterpreter?.expressionInterpreter,
      defaultStyle: false, tooltip: { disableDefaultStyle: true },
    });
    element.onefoldView?.finalize();
    element.onefoldView = view;
    offer(element);
    element.dispatchEvent(new CustomEvent("onefold:drawn", { bubbles: true }));
  };

  // A picture stands on the page's own ground: a clear one would be unreadable elsewhere.
  const save = async (element) => {
    const view = element.onefoldView;
    view.background(colour("surface"));
    const address = await view.toImageURL("png", 2);
    view.background(null);
    const link = document.createElement("a");
    link.href = address;
    link.download = `${element.getAttribute("aria-label").replace(/[^\p{L}\p{N}]+/gu, "-")}.png`;
    link.click();
  };
  const offer = (element) => {
    const place = element.closest(".charted");
    if (!place || place.closest("[data-live]") || place.querySelector(".take-png")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain take-png";
    button.textContent = "Save as PNG";
    button.addEventListener("click", () => save(element));
    place.append(button);
  };

  const drawAll = (root) => {
    for (const script of root.querySelectorAll("script.chart-spec")) {
      const element = script.closest(".chart");
      if (element && !drawn.has(element)) draw(element, JSON.parse(script.textContent)).catch((error) => { element.dataset.failed = error.message; });
    }
  };
  const redraw = () => {
    for (const [element, spec] of drawn) if (element.isConnected) draw(element, spec); else drawn.delete(element);
  };

  window.onefoldChart = draw;
  document.addEventListener("onefold:chart", (event) => draw(event.detail.element, event.detail.spec));
  document.addEventListener("htmx:load", (event) => drawAll(event.detail.elt));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  drawAll(document);
})();
