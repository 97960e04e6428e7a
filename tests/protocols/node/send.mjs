// Sends every kind of call through the unmodified Node SDK: node send.mjs HOST WRITE_KEY
import { Analytics } from "@segment/analytics-node";

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, flushAt: 15, flushInterval: 200 });
const failed = [];
analytics.on("error", (error) => failed.push(String(error.reason ?? error.code ?? error)));

const context = { consent: { categoryPreferences: { analytics: true, advertising: false } } };
const anonymousId = "a-1";
analytics.track({ anonymousId, event: "search_made", properties: { query: "oak shelves" } });
analytics.identify({ userId: "u-1", anonymousId, traits: { plan: "free" }, context });
analytics.page({ userId: "u-1", category: "home", name: "Start", properties: { path: "/" } });
analytics.screen({ userId: "u-1", name: "Boards" });
analytics.group({ userId: "u-1", groupId: "advertiser-1", traits: { industry: "furniture" } });
analytics.alias({ userId: "u-1", previousId: "a-0" });
analytics.track({
  userId: "u-1",
  event: "pin_saved",
  properties: { item_id: "i-1", board_id: null },
  context,
});
await analytics.closeAndFlush({ timeout: 20000 });
process.stdout.write(JSON.stringify({ failed }));
