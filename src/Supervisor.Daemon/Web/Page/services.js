// The table of services and their workers.

const servicesList = makeBoundedList("services", renderServices);

function renderServices() {
  const text = byId("services-text").value.trim().toLowerCase();
  const state = byId("services-state").value;
  const all = [...model.services.values()];
  const wanted = all.filter(service => service.name.toLowerCase().includes(text) && matchesState(service, state));
  const order = new Map(wanted.map(service => [service, urgency(service)]));
  wanted.sort((one, other) => order.get(one) - order.get(other));
  const shown = bound(servicesList, wanted, all.length, "No service is configured.");
  const rows = shown.flatMap(service => servicesList.open.has(service.name)
    ? [{ key: service.name, service }, { key: `workers of ${service.name}`, service, isDetail: true }]
    : [{ key: service.name, service }]);
  sync(servicesList.rows, rows, row => row.key, makeServiceRow, updateServiceRow);
}

function matchesState(service, state) {
  switch (state) {
    case "trouble": return !isCalm(service);
    case "rolling": return isRollingOut(service) || service.state === "rolling";
    case "stopped": return service.state === "stopped";
    default: return true;
  }
}

/** Services with a problem come first, then those that change; otherwise the daemon's order stays. */
const urgency = service => !isCalm(service) ? 0 : isRollingOut(service) ? 1 : 2;

function makeServiceRow({ service, isDetail }) {
  if (isDetail) {
    const { table, body } = makeTable(
      `Workers of ${service.name}`, ["#Slot", "State", "#Pid", "#Generation", "In state for", "#Connections", "#Memory", "#CPU", "#Restarts", "Remark"]);
    body.classList.add("workers");
    return element("tr", { class: "detail" }, element("td", { colspan: 7 },
      element("p", { class: "reason" }), element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Workers of ${service.name}` }, table)));
  }
  return element("tr", { "data-service": service.name },
    element("th", { scope: "row" }, makeOpener(servicesList, service.name, renderServices), element("span", { class: "remark" })),
    element("td", {}, makePill()), element("td", { class: "number" }), element("td", { class: "number" }),
    element("td", { class: "number wide" }), element("td", { class: "number wide" }), element("td", { class: "number wide" }));
}

function updateServiceRow(row, { service, isDetail }) {
  if (isDetail) {
    const [reason, scroll] = row.firstElementChild.children;
    setText(reason, service.reason ?? lastRollout(service) ?? "");
    reason.hidden = reason.textContent === "";
    sync(scroll.querySelector("tbody"), service.workers, worker => `${worker.slot} ${worker.generation} ${worker.pid}`, makeWorker, updateWorker);
    return;
  }
  const [name, state, ready, connections, memory, load, generation] = row.children;
  setAttribute(name.firstElementChild, "aria-expanded", String(servicesList.open.has(service.name)));
  setText(name.lastElementChild, isCalm(service) ? "" : service.reason ?? "");
  setPill(state.firstElementChild, service.state);
  setText(ready, `${number(service.ready)} of ${number(service.desired)}`);
  setAttribute(ready, "data-tone", service.ready < service.desired && service.state !== "stopped" ? "warn" : null);
  const open = service.connections?.live ?? sumOf(service, "connections");
  setText(connections, open == null ? NONE : number(open));
  setText(memory, bytes(sumOf(service, "memory_bytes")));
  setText(load, percent(sumOf(service, "load")));
  setText(generation, number(service.generation));
}

function lastRollout({ rollout }) {
  if (!rollout) {
    return null;
  }
  const reason = rollout.reason ? `: ${rollout.reason}` : "";
  return `Roll-out of generation ${rollout.to}: ${rollout.state}${reason}`;
}

function makeWorker(worker) {
  const row = makeRow([String(worker.slot), "", "", "", "", "", "", "", "", ""], [0, 2, 3, 5, 6, 7, 8]);
  row.children[1].append(makePill());
  return row;
}

function updateWorker(row, worker) {
  const cells = row.children;
  setPill(cells[1].firstElementChild, worker.state);
  const texts = [
    worker.pid == null ? NONE : String(worker.pid), String(worker.generation),
    worker.state_since ? duration(daemonNow() - Date.parse(worker.state_since)) : NONE,
    worker.connections == null ? NONE : number(worker.connections), bytes(worker.memory_bytes), percent(worker.load),
    number(worker.restarts), workerRemark(worker),
  ];
  texts.forEach((text, i) => setText(cells[i + 2], text));
}

function workerRemark(worker) {
  const parts = [];
  if (worker.drain) {
    parts.push(`${worker.drain.connections == null ? "connections" : plural(worker.drain.connections, "connection")} left`);
    if (worker.drain.killed_at) {
      parts.push(`killed in ${duration(Date.parse(worker.drain.killed_at) - daemonNow())}`);
    }
  }
  if (worker.next_try) {
    parts.push(`next try in ${duration(Date.parse(worker.next_try) - daemonNow())}`);
  }
  if (worker.last_exit) {
    parts.push(`last one ${worker.last_exit}`);
  }
  return parts.join(", ");
}
