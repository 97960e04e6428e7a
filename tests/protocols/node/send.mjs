// Sends every kind of call through one unmodified SDK: node send.mjs SDK HOST WRITE_KEY
import { setTimeout as pause } from "node:timers/promises";

const [sdk, host, writeKey] = process.argv.slice(2);
const TRACKS = 4;
const context = { consent: { categoryPreferences: { analytics: true, advertising: false } } };
const pin = (number) => ({ number, item_id: `i-${number}` });
const failed = [];

// What Segment's and RudderStack's SDKs have in common.
function sendRest(analytics) {
  analytics.identify({ userId: "u-1", anonymousId: "a-1", traits: { plan: "free" }, context });
  analytics.page({ userId: "u-1", category: "home", name: "Start", properties: { path: "/" } });
  analytics.screen({ userId: "u-1", name: "Boards" });
  analytics.group({ userId: "u-1", groupId: "advertiser-1", traits: { industry: "furniture" } });
  analytics.alias({ userId: "u-1", previousId: "a-0" });
}

async function segment() {
  const { Analytics } = await import("@segment/analytics-node");
  const analytics = new Analytics({ writeKey, host, flushAt: 15, flushInterval: 200 });
  analytics.on("error", (error) => failed.push(String(error.reason ?? error.code ?? error)));
  for (let number = 0; number < TRACKS - 1; number++) {
    analytics.track({ userId: "u-1", event: "pin_saved", properties: pin(number), context });
  }
  await analytics.flush();
  analytics.track({ anonymousId: "a-1", event: "pin_saved", properties: pin(TRACKS - 1) });
  sendRest(analytics);
  await analytics.closeAndFlush({ timeout: 40000 });
}

async function rudder() {
  const { default: Analytics } = await import("@rudderstack/rudder-sdk-node");
  const analytics = new Analytics(writeKey, { dataPlaneUrl: host, flushAt: 15 });
  const flush = () =>
    new Promise((done) =>
      analytics.flush((error) => {
        if (error) failed.push(String(error));
        done();
      }),
    );
  for (let number = 0; number < TRACKS; number++) {
    analytics.track({ userId: "u-1", event: "pin_saved", properties: pin(number), context });
  }
  await flush();
  sendRest(analytics);
  await flush();
}

async function posthog() {
  const { PostHog } = await import("posthog-node");
  const client = new PostHog(writeKey, { host, flushAt: 15, fetchRetryDelay: 300 });
  client.on("error", (error) => failed.push(String(error)));
  for (let number = 0; number < TRACKS; number++) {
    client.capture({ distinctId: "u-1", event: "pin_saved", properties: pin(number) });
  }
  await client.flush();
  client.identify({ distinctId: "u-1", properties: { plan: "free" } });
  client.capture({ distinctId: "u-1", event: "$pageview", properties: {} });
  client.capture({ distinctId: "u-1", event: "$screen", properties: { $screen_name: "Boards" } });
  client.groupIdentify({ groupType: "company", groupKey: "advertiser-1", distinctId: "u-1" });
  client.alias({ distinctId: "u-1", alias: "a-0" });
  await client.shutdown(40000);
}

async function snowplow() {
  const snow = await import("@snowplow/node-tracker");
  let left = 2 * TRACKS;
  const tracker = snow.newTracker(
    { namespace: "shop", appId: writeKey },
    {
      endpoint: host,
      bufferSize: TRACKS,
      onRequestSuccess: (events) => {
        left -= events.length;
      },
    },
  );
  tracker.setUserId("u-1");
  const schema = "iglu:com.acme/pin_saved/jsonschema/1-0-0";
  const screen = "iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0";
  for (let number = 0; number < TRACKS; number++) {
    tracker.track(snow.buildSelfDescribingEvent({ event: { schema, data: pin(number) } }));
  }
  tracker.track(snow.buildPageView({ pageUrl: "https://x.test/", pageTitle: "Start" }));
  tracker.track(snow.buildPagePing({ pageUrl: "https://x.test/" }));
  tracker.track(snow.buildSelfDescribingEvent({ event: { schema: screen, data: { name: "Boards" } } }));
  tracker.track(snow.buildStructEvent({ category: "boards", action: "opened" }));
  for (let tries = 0; left > 0 && tries < 300; tries++) {
    await tracker.flush();
    await pause(100);
  }
  if (left > 0) failed.push(`${left} events were not taken`);
}

await { segment, rudder, posthog, snowplow }[sdk]();
process.stdout.write(JSON.stringify({ failed }));
process.exit(0);
