// One stream for all tabs of a browser: tabs say what they show, this tells each what came of it.
"use strict";
(() => {
  const MOST = 24;
  const GONE_MS = 180000;
  const tabs = new Map();
  let source = null;
  let open = "";

  const tell = (kind, data, of) => {
    for (const [port, tab] of tabs) if (of === undefined || tab.of === of) port.postMessage({ kind, data });
  };
  const wanted = () => [...new Set([...tabs.values()].map((tab) => tab.of))].sort();
  const connect = () => {
    const address = wanted().map((of) => `of=${encodeURIComponent(of)}`).join("&");
    if (address === open) return;
    source?.close();
    source = null;
    open = address;
    if (!address) return;
    const mine = new EventSource(`/streams?${address}`);
    source = mine;
    mine.addEventListener("open", () => tell("open"));
    mine.addEventListener("error", () => {
      tell("error");
      // A browser tries again by itself, but not after a refusal, such as that of a house that starts.
      if (mine.readyState !== EventSource.CLOSED) return;
      setTimeout(() => {
        if (source !== mine) return;
        open = "";
        connect();
      }, 3000);
    });
    mine.addEventListener("beat", (event) => tell("beat", event.data));
    mine.addEventListener("reading", (event) => tell("reading", event.data, event.lastEventId));
  };
  const watch = (port, of) => {
    const others = wanted();
    if (others.length >= MOST && !others.includes(of)) port.postMessage({ kind: "alone" });
    else tabs.set(port, { of, heard: Date.now() });
    connect();
  };
  onconnect = ({ ports: [port] }) => {
    port.onmessage = ({ data }) => {
      if (data.watch) watch(port, data.watch);
      else if (tabs.delete(port)) connect();
    };
  };
  // A tab that broke says no word of it; those in the background speak once a minute.
  setInterval(() => {
    for (const [port, tab] of tabs) if (Date.now() - tab.heard > GONE_MS) tabs.delete(port);
    connect();
  }, 60000);
})();
