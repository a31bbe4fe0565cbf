// The table of listeners with their charts, options and history.

const listenersList = makeBoundedList("listeners", renderListeners);

/** How often the details of an open listener are asked for, and what was answered. */
const DETAIL_MS = 3000;
const MOST_HISTORY = 200;
const details = new Map();

function renderListeners() {
  const text = byId("listeners-text").value.trim().toLowerCase();
  const found = worstFindings();
  const all = [...model.listeners.values()];
  const wanted = all.filter(listener => `${listener.name} ${addressOf(listener)}`.toLowerCase().includes(text));
  const isCalmListener = listener => listener.state !== "failed" && !listener.drift && !["critical", "warning"].includes(found.get(listener.name)?.severity);
  wanted.sort((one, other) => isCalmListener(one) - isCalmListener(other));
  const shown = bound(listenersList, wanted, all.length, "No listener is configured.");
  const rows = shown.flatMap(listener => listenersList.open.has(listener.name)
    ? [{ key: listener.name, listener, found }, { key: `details of ${listener.name}`, listener, isDetail: true }]
    : [{ key: listener.name, listener, found }]);
  sync(listenersList.rows, rows, row => row.key, makeListenerRow, updateListenerRow);
}

const addressOf = listener => listener.effective ?? listener.requested;

function makeListenerRow({ listener, isDetail }) {
  if (isDetail) {
    return element("tr", { class: "detail" }, element("td", { colspan: 4 }, element("div", { class: "details" }, element("p", { class: "muted" }, "Asking listend."))));
  }
  return element("tr", { "data-listener": listener.name },
    element("th", { scope: "row" }, makeOpener(listenersList, listener.name, renderListeners), element("span", { class: "address" })),
    element("td", {}, makePill(), element("span", { class: "remark" })),
    element("td", { class: "charted" }, makeChart("queue"), element("span", { class: "value" })),
    element("td", { class: "charted" }, makeChart("drops"), element("span", { class: "value" })));
}

function updateListenerRow(row, { listener, found, isDetail }) {
  if (isDetail) {
    renderDetails(row.querySelector(".details"), listener);
    return;
  }
  const [name, state, queue, drops] = row.children;
  setAttribute(name.firstElementChild, "aria-expanded", String(listenersList.open.has(listener.name)));
  setText(name.lastElementChild, addressOf(listener));
  setPill(state.firstElementChild, listener.state, listener.drift ? "warn" : toneOf(found.get(listener.name)?.severity ?? listener.state));
  setText(state.lastElementChild, listenerRemark(listener, found.get(listener.name)));
  const samples = [...samplesOf(listener.name)];
  drawQueue(queue.firstElementChild, samples, listener.queue?.limit);
  setText(queue.lastElementChild, listener.queue ? `${number(listener.queue.length ?? 0)} of ${number(listener.queue.limit ?? 0)}` : NONE);
  queue.firstElementChild.classList.toggle("unused", !listener.queue);
  const recent = drawDrops(drops.firstElementChild, samples);
  setText(drops.lastElementChild, listener.drops == null ? NONE : number(listener.drops));
  setAttribute(drops, "data-tone", recent > 0 ? "warn" : null);
}

function listenerRemark(listener, finding) {
  if (listener.failure) {
    return `${listener.failure.errno ?? ""} ${listener.failure.cause ?? ""}`.trim();
  }
  return listener.drift ? `${plural(listener.drifted?.length ?? 1, "option")} changed by a program` : finding?.code ?? "";
}

/** Shows what is known of an open listener, and asks again when that is old. */
function renderDetails(place, listener) {
  let known = details.get(listener.name);
  if (!known) {
    details.set(listener.name, known = { askedAt: -Infinity, answer: null, error: null });
  }
  if (performance.now() - known.askedAt >= DETAIL_MS) {
    known.askedAt = performance.now();
    askDetails(listener.name, known);
  }
  if (known.answer !== place.shown || known.error !== place.failed) {
    [place.shown, place.failed] = [known.answer, known.error];
    showDetails(place, listener, known);
  }
}

async function askDetails(name, known) {
  try {
    const response = await fetch(`/live/listeners/${encodeURIComponent(name)}`);
    [known.answer, known.error] = response.ok ? [await response.json(), null] : [known.answer, (await response.text()).trim()];
  } catch {
    known.error = "listend does not answer";
  }
  schedule();
}

function showDetails(place, listener, { answer, error }) {
  if (!place.body) {
    place.body = {
      failure: element("p", { class: "failure" }),
      facts: element("p", { class: "muted" }),
      sockets: makeTable(`Sockets of ${listener.name}`, ["#Shard", "State", "#Queue", "#Drops", "Workers"]),
      options: makeTable(`Options of ${listener.name}`, ["Option", "Moment", "#Requested", "#Effective", "Verdict"]),
      history: makeTable(`History of ${listener.name}, newest first`, ["Time", "Phase", "Call", "Option", "#Requested", "#Effective", "Result", "By"]),
    };
    const { failure, facts, sockets, options, history } = place.body;
    place.replaceChildren(failure, facts, ...[sockets, options, history].map(part => element(
      "div", { class: "scroll", role: "region", tabindex: "0", "aria-label": part.table.caption.textContent }, part.table)));
  }
  const { failure, facts, sockets, options, history } = place.body;
  const now = answer?.listener ?? listener;
  setText(failure, error ?? failureText(now.failure));
  failure.hidden = failure.textContent === "";
  setText(facts, [`${now.kind}, ${now.origin}`, `services: ${now.services.join(", ") || "none"}`].join("; "));
  sync(sockets.body, now.sockets ?? [], socket => socket.inode, () => makeRow(["", "", "", "", ""], [0, 2, 3]), (row, socket) => setRow(row, [
    String(socket.shard), socket.state ?? NONE, socket.queue ? `${socket.queue.length ?? NONE} of ${socket.queue.limit ?? NONE}` : NONE,
    socket.drops == null ? NONE : number(socket.drops), socket.workers.join(", ") || NONE]));
  sync(options.body, now.options, option => `${option.level} ${option.name}`, () => makeRow(["", "", "", "", ""], [2, 3]), (row, option) => {
    setRow(row, [option.name, option.phase, scalar(option.requested), scalar(option.effective), option.verdict]);
    setAttribute(row, "data-verdict", option.verdict);
  });
  const entries = (answer?.history ?? []).slice(-MOST_HISTORY).toReversed();
  sync(history.body, entries, entry => entry.seq, () => makeRow(["", "", "", "", "", "", "", ""], [4, 5]), (row, entry) => {
    setRow(row, [clock(entry.at), entry.phase, entry.call, entry.option ?? "", scalar(entry.requested), scalar(entry.effective),
      entry.errno ?? entry.verdict, entry.actor ? `${entry.actor.name} (${entry.actor.pid})` : ""]);
    setAttribute(row, "data-verdict", entry.errno ? "refused" : entry.verdict);
    setAttribute(row, "title", entry.note);
  });
}

function failureText(failure) {
  return failure ? [`${failure.address}: ${failure.errno ?? "not bound"}${failure.cause ? ` (${failure.cause})` : ""}`, failure.verdict, failure.advice]
    .filter(Boolean).join(". ") : "";
}
