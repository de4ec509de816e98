/** "Your devices": sessions in words a person understands. */

/** The first match wins: every Chromium also says Safari, Edge also says Chrome. */
const BROWSERS = [
  ["Edge", /\bEdgA?\//],
  ["Opera", /\bOPR\//],
  ["Samsung Internet", /\bSamsungBrowser\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /\b(?:Headless)?(?:Chrome|Chromium|CriOS)\//],
  ["Safari", /\bSafari\//],
  ["curl", /^curl\//],
  ["Node.js", /^(?:node|undici)/],
];
const SYSTEMS = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["Linux", /\bLinux\b/],
];
const HANDHELD = new Set(["iPhone", "iPad", "Android"]);
const nameIn = (table, userAgent) => table.find(([, pattern]) => pattern.test(userAgent))?.[0];

/** A session (of `sessions.list`) as the devices page shows it. `current` is the present handle. */
export function toDevice(session, current) {
  const userAgent = session.client.userAgent ?? "";
  const browser = nameIn(BROWSERS, userAgent) ?? "Unknown browser";
  const system = nameIn(SYSTEMS, userAgent);
  return {
    handle: session.handle,
    label: system ? `${browser} on ${system}` : browser,
    isHandheld: HANDHELD.has(system),
    isCurrent: session.handle === current,
    ip: session.client.ip,
    createdAt: session.createdAt,
    seenAt: session.seenAt,
  };
}
