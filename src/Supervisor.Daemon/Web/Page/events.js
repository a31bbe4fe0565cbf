// The events, newest first, and what a screen reader is told of them.

const MOST_SHOWN = 100;

const BAD = new Set([
  "worker-died", "worker-crash-loop", "worker-hung", "worker-start-timeout", "worker-killed", "worker-cut", "worker-abandoned", "listener-failed",
  "hook-failed", "rollout-failing", "daemon-upgrade-refused", "daemon-takeover-failed", "reload-refused",
]);
const WARN = new Set([
  "listener-overflow", "listener-drifted", "worker-backoff", "worker-unhealthy", "worker-keeps-accepting", "worker-remains", "rollout-waiting",
  "events-lost",
]);
const GOOD = new Set(["worker-ready", "listener-repaired", "daemon-upgraded", "daemon-recovered", "reloaded"]);

function toneOfEvent(event) {
  if (event.kind === "rollout-ended") {
    return toneOf(event.rollout?.state);
  }
  return event.kind === "service-state" ? toneOf(event.state)
    : BAD.has(event.kind) ? "bad" : WARN.has(event.kind) ? "warn" : GOOD.has(event.kind) ? "good" : "quiet";
}

byId("events-filter").addEventListener("input", () => renderEvents());
byId("events-filter").addEventListener("submit", event => event.preventDefault());

function renderEvents() {
  const text = byId("events-text").value.trim().toLowerCase();
  const wanted = model.events.filter(event => `${event.kind} ${event.message}`.toLowerCase().includes(text)).slice(0, MOST_SHOWN);
  byId("events-empty").hidden = wanted.length > 0;
  setText(byId("events-empty"), model.events.length === 0 ? "No event yet." : "Nothing matches the filter.");
  sync(byId("events"), wanted, event => `${event.seq} ${event.at}`, makeEvent, () => { });
}

function makeEvent(event) {
  return element("li", { "data-kind": event.kind, "data-tone": toneOfEvent(event) },
    element("time", { datetime: event.at }, clock(event.at)),
    element("span", { class: "kind" }, event.kind), element("span", { class: "message" }, event.message));
}

/** The least time between two announcements: a screen reader should not talk all the time. */
const ANNOUNCE_MS = 10000;
const announcer = { last: -Infinity, next: null, verdict: null };

/** Tells a screen reader the end of a roll-out, a failed service and a new verdict; of several only the newest. */
function announce(events) {
  const told = events.filter(event => event.kind === "rollout-ended" || (event.kind === "service-state" && toneOf(event.state) === "bad")
    || event.kind === "listener-overflow").at(-1);
  if (told) {
    announcer.next = told.message;
  }
  const severity = allFindings()[0]?.severity ?? "none";
  if (model.diagnosis && announcer.verdict !== null && announcer.verdict !== severity && severity === "critical") {
    announcer.next = model.diagnosis.verdict;
  }
  announcer.verdict = model.diagnosis ? severity : null;
  if (announcer.next && performance.now() - announcer.last >= ANNOUNCE_MS) {
    announcer.last = performance.now();
    setText(byId("announcer"), announcer.next);
    announcer.next = null;
  }
}
