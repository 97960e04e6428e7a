// The pinboard: what a visitor does becomes events, sent by the browser SDK as it comes from npm.
"use strict";
(() => {
  const board = document.querySelector(".pinboard");
  const main = document.getElementById("main");
  const state = document.getElementById("consent-state");
  const sent = document.getElementById("sent");
  const remembered = "pinboard_consent";
  let analytics = null;
  let agreed = false;

  const terms = () => ({ context: { consent: { categoryPreferences: { analytics: agreed, personalization: agreed, advertising: agreed } } } });
  const show = (name, about) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = new Date().toLocaleTimeString("en-GB");
    const what = document.createElement("b");
    what.textContent = name;
    const quiet = document.createElement("span");
    quiet.className = "quiet";
    quiet.textContent = about;
    item.append(time, what, quiet);
    sent.prepend(item);
    while (sent.children.length > 8) sent.lastChild.remove();
  };
  const track = (name, props) => {
    if (!analytics) return Promise.resolve();
    show(name, Object.values(props).filter((value) => typeof value === "string").slice(0, 3).join(" · "));
    return analytics.track(name, props, terms());
  };

  // A card counts as seen once, when half of it is in sight.
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !analytics) continue;
      seen.unobserve(target);
      track(target.dataset.seen, JSON.parse(target.dataset.props));
    }
  }, { threshold: 0.5 });
  const watch = () => {
    for (const hidden of document.querySelectorAll("[data-needs-script]")) hidden.hidden = false;
    if (!analytics) return;
    for (const card of main.querySelectorAll("[data-seen]")) seen.observe(card);
  };
  const arrive = () => {
    if (analytics) {
      analytics.page("Pinboard", { surface: main.dataset.surface }, terms());
      if (main.dataset.results !== undefined) track("search_made", { query: main.dataset.query, results: Number(main.dataset.results), surface: main.dataset.surface });
    }
    watch();
  };

  const go = async (address, push = true) => {
    const answer = await fetch(address);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = next.getElementById("main");
    if (!answer.ok || !fresh) { location.assign(address); return; }
    for (const name of ["surface", "query", "results"]) {
      if (fresh.dataset[name] === undefined) delete main.dataset[name]; else main.dataset[name] = fresh.dataset[name];
    }
    main.replaceChildren(...fresh.childNodes);
    if (push) history.pushState(null, "", address);
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
    arrive();
  };

  const load = () => new Promise((done, failed) => {
    // The SDK fetches its own parts from here, not from a network of others.
    window.analytics = { _cdn: location.origin };
    const script = document.createElement("script");
    script.src = board.dataset.sdk;
    script.onload = done;
    script.onerror = () => failed(new Error("The SDK did not load."));
    document.head.append(script);
  });
  const start = async (yes) => {
    agreed = yes;
    localStorage.setItem(remembered, yes ? "yes" : "no");
    if (!window.AnalyticsNext) await load();
    analytics = window.AnalyticsNext.AnalyticsBrowser.load(
      { writeKey: board.dataset.writeKey, cdnURL: location.origin },
      { disableClientPersistence: !yes, integrations: { "Segment.io": { apiHost: `${location.host}/v1`, protocol: location.protocol.slice(0, -1) } } },
    );
    state.textContent = yes
      ? "You are counted, by a number that only this browser knows."
      : "You are not counted: events arrive without any identifier, and no figure has them.";
    document.body.dataset.counted = yes ? "yes" : "no";
    arrive();
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".pinboard-search")) return;
    event.preventDefault();
    go(`/pinboard?${new URLSearchParams(new FormData(event.target))}`);
  });
  document.addEventListener("click", (event) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    const doing = event.target.closest("[data-send]");
    if (doing) {
      const props = JSON.parse(doing.dataset.props);
      if (doing.dataset.send === "pin_saved") {
        props.board_id = doing.parentElement.querySelector("select")?.value || "board-0";
        doing.textContent = "Saved";
      }
      track(doing.dataset.send, props);
      if (doing.dataset.live) told(doing);
    }
    const way = event.target.closest('a[href^="/pinboard"]');
    if (way && plain) {
      event.preventDefault();
      go(way.getAttribute("href"));
    }
  });
  const told = (doing) => {
    const arrived = document.getElementById("arrived");
    const link = document.createElement("a");
    link.href = doing.dataset.live;
    link.textContent = doing.dataset.campaign;
    arrived.replaceChildren(agreed ? "Your click is on the live page of " : "Your click arrived without consent, so no page shows it. See the live page of ", link, ".");
  };
  addEventListener("popstate", () => go(location.pathname + location.search, false));
  document.getElementById("agree").addEventListener("click", () => start(true));
  document.getElementById("refuse").addEventListener("click", () => start(false));
  watch();
  const before = localStorage.getItem(remembered);
  if (before) start(before === "yes");
})();
