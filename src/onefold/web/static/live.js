// A live page: the server tells what changed; this puts it in place, unless it is held still.
"use strict";
(() => {
  const root = document.querySelector("[data-stream]");
  if (!root) return;
  const hold = document.getElementById("hold");
  const fresh = document.getElementById("fresh");
  const space = "\u00a0";
  let held = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let waiting = null;
  let drawn = "";
  let connected = true;
  let known = { now: Number(root.dataset.now), fresh: Number(root.dataset.fresh) || null, at: performance.now() };

  const heard = (told) => { known = { now: told.now, fresh: told.fresh_time, at: performance.now() }; tell(); };

  const lag = (seconds) => {
    if (seconds < 1) return `${seconds.toFixed(1)}${space}s`;
    if (seconds < 90) return `${seconds.toFixed(0)}${space}s`;
    if (seconds < 5400) return `${(seconds / 60).toFixed(0)}${space}min`;
    if (seconds < 129600) return `${(seconds / 3600).toFixed(0)}${space}h`;
    const days = Math.round(seconds / 86400);
    return `${days}${space}${days === 1 ? "day" : "days"}`;
  };
  const tell = () => {
    if (!fresh) return;
    const away = (performance.now() - known.at) / 1000;
    const seconds = known.fresh === null ? null : Math.max((known.now - known.fresh) / 1e6 + away, 0);
    const quiet = seconds === null || seconds > 60;
    const words = !connected ? `Not connected for ${lag(away)}`
      : seconds === null ? "No events yet"
      : quiet ? `Quiet for ${lag(seconds)}`
      : `${held ? "Held still" : "Live"} · ${lag(seconds)} behind`;
    fresh.classList.toggle("stale", quiet || !connected);
    if (fresh.textContent !== words) fresh.textContent = words;
  };

  // A table keeps its frame, so that scrolling and focus stay where they are.
  const place = (part) => {
    const standing = root.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!standing || standing.innerHTML === part.innerHTML) return;
    const [before, after] = [standing.querySelector("tbody"), part.querySelector("tbody")];
    if (before && after && !standing.contains(document.activeElement?.closest("a"))) before.replaceWith(after);
    else if (!before || !after) standing.replaceChildren(...part.childNodes);
  };
  const show = (told) => {
    waiting = null;
    const sheet = document.createElement("template");
    sheet.innerHTML = told.html;
    for (const part of sheet.content.querySelectorAll("[data-live]")) place(part);
    const figure = root.querySelector("#live-chart .chart");
    const drawing = JSON.stringify(told.chart);
    if (!figure || !told.chart || drawing === drawn || !window.onefoldChart) return;
    drawn = drawing;
    window.onefoldChart(figure, told.chart);
  };

  const label = () => {
    if (!hold) return;
    hold.hidden = false;
    hold.textContent = held ? "Let it move" : "Hold still";
    hold.setAttribute("aria-pressed", String(held));
  };
  hold?.addEventListener("click", () => {
    held = !held;
    label();
    tell();
    if (!held && waiting) show(waiting);
  });

  const hear = {
    open: () => { connected = true; tell(); },
    error: () => {
      if (connected) known.at = performance.now();
      connected = false;
      tell();
    },
    beat: (data) => heard(JSON.parse(data)),
    reading: (data) => {
      const told = JSON.parse(data);
      heard(told);
      if (held) waiting = told; else show(told);
    },
    alone: () => alone(),
  };
  let single = false;
  const alone = () => {
    if (single) return;
    single = true;
    let source = null;
    const connect = () => {
      source = new EventSource(root.dataset.stream);
      source.addEventListener("open", hear.open);
      source.addEventListener("error", () => {
        hear.error();
        // A browser tries again by itself, but not after a refusal, such as that of a house that starts.
        if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
      });
      for (const kind of ["beat", "reading"]) source.addEventListener(kind, (event) => hear[kind](event.data));
    };
    connect();
    addEventListener("pagehide", () => source.close());
  };
  // All tabs of a browser share one stream, which a worker keeps; without one, each has its own.
  const shared = () => {
    const worker = new SharedWorker(root.dataset.shared, "onefold-live");
    const watch = () => { if (!single) worker.port.postMessage({ watch: root.dataset.stream }); };
    worker.addEventListener("error", alone);
    worker.port.onmessage = ({ data }) => hear[data.kind](data.data);
    watch();
    setInterval(watch, 20000);
    addEventListener("pagehide", () => worker.port.postMessage({ leave: true }));
    addEventListener("pageshow", (event) => { if (event.persisted) watch(); });
  };
  if (window.SharedWorker && root.dataset.shared) shared(); else alone();
  setInterval(tell, 1000);
  label();
})();
