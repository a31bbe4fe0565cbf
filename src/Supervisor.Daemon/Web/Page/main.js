// The connection to the daemon, and when the page is drawn.

const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

/** A page that nobody sees lets the daemon sleep. */
const HIDDEN_MS = 60000;

const view = { source: null, tries: 0, isPaused: false, isScheduled: false, version: null, hiddenTimer: 0 };

function connect() {
  view.source?.close();
  view.source = new EventSource("/live");
  view.source.addEventListener("update", message => {
    view.tries = 0;
    const added = receive(JSON.parse(message.data));
    setLink(view.isPaused ? "paused" : "live", view.isPaused ? "quiet" : "good");
    if (!view.isPaused) {
      announce(added);
    }
    schedule();
  });
  view.source.addEventListener("error", () => {
    setLink("reconnecting", "warn");
    // The browser tries again by itself, unless it was refused.
    if (view.source.readyState === EventSource.CLOSED) {
      retry();
    }
  });
}

async function retry() {
  const wait = RETRY_MS[Math.min(view.tries++, RETRY_MS.length - 1)];
  setTimeout(() => document.hidden || connect(), wait);
  try {
    const response = await fetch("/live", { method: "HEAD" });
    if (response.status === 503) {
      setLink("too many pages are open", "warn");
    }
  } catch {
    // It does not answer at all.
  }
}

function setLink(text, tone) {
  setPill(byId("link"), text, tone);
}

/** Draws soon, at most once for each frame. */
function schedule() {
  if (!view.isScheduled && !view.isPaused && model.daemon) {
    view.isScheduled = true;
    requestAnimationFrame(() => {
      view.isScheduled = false;
      render();
    });
  }
}

function render() {
  view.version ??= model.daemon.version;
  renderSummary();
  renderServices();
  renderListeners();
  renderEvents();
  const notice = model.daemon.stopping ? `listend stops. Its workers stop at ${clock(model.daemon.stopping.workers_stop_at)}.`
    : view.version === model.daemon.version ? ""
    : `listend ${model.daemon.version} runs now. Reload this page, which is of ${view.version}.`;
  byId("notice").hidden = notice === "";
  setText(byId("notice"), notice);
  const trouble = [...model.services.values()].filter(service => !isCalm(service)).length;
  document.title = trouble > 0 ? `(${trouble}) listend on ${location.hostname}` : `listend on ${location.hostname}`;
}

byId("pause").addEventListener("click", () => {
  view.isPaused = !view.isPaused;
  setAttribute(byId("pause"), "aria-pressed", String(view.isPaused));
  setText(byId("pause"), view.isPaused ? "Resume" : "Pause");
  setLink(view.isPaused ? "paused" : "live", view.isPaused ? "quiet" : "good");
  schedule();
});

document.addEventListener("visibilitychange", () => {
  clearTimeout(view.hiddenTimer);
  if (document.hidden) {
    view.hiddenTimer = setTimeout(() => {
      view.source?.close();
      setLink("asleep", "quiet");
    }, HIDDEN_MS);
  } else if (view.source?.readyState === EventSource.CLOSED) {
    connect();
  }
});

setText(byId("host"), location.host);
connect();
