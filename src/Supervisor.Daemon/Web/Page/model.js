// What the daemon has sent, and what follows from it. Each message has what changed since the last one.

/** How long the charts look back, and how many readings that is at most. */
const CHART_MS = 5 * 60 * 1000;
const SLOTS = 330;
const MOST_EVENTS = 300;

const model = {
  daemon: null,
  services: new Map(),
  listeners: new Map(),
  diagnosis: null,
  events: [],
  /** The times of the readings, in a ring; NaN for an empty slot. */
  times: new Float64Array(SLOTS).fill(NaN),
  slot: -1,
  /** Queue and new drops of each listener in the same ring. */
  series: new Map(),
  /** The daemon's time minus this browser's, in milliseconds. */
  skew: 0,
};

const daemonNow = () => Date.now() + model.skew;

/** Takes a message in. Returns the events that are new. */
function receive(update) {
  const at = Date.parse(update.at);
  model.skew = at - Date.now();
  const daemon = update.daemon?.[0];
  if (daemon) {
    model.daemon = daemon;
  }
  model.diagnosis = update.diagnosis?.[0] ?? model.diagnosis;
  takeServices(update, at);
  model.listeners = merge(model.listeners, update.listeners, update.listeners_names);
  takeSample(at);
  return takeEvents(update.events ?? [], update.is_full);
}

function merge(known, changed, names) {
  for (const item of changed ?? []) {
    known.set(item.name, item);
  }
  return names ? new Map(names.filter(name => known.has(name)).map(name => [name, known.get(name)])) : known;
}

function takeServices(update, at) {
  const changed = new Set((update.services ?? []).map(service => service.name));
  for (const service of model.services.values()) {
    if (!changed.has(service.name)) {
      service.workers.forEach(worker => { worker.load = worker.cpu_usec == null ? null : 0; });
    }
    service.at = at;
  }
  for (const service of update.services ?? []) {
    const before = model.services.get(service.name);
    for (const worker of service.workers) {
      const same = before?.workers.find(other => other.pid === worker.pid && other.cpu_usec != null);
      const elapsed = same ? (at - before.readAt) * 1000 : 0;
      worker.load = worker.cpu_usec == null || elapsed <= 0 ? null : Math.max(0, worker.cpu_usec - same.cpu_usec) / elapsed;
    }
  }
  model.services = merge(model.services, update.services, update.services_names);
  model.services.forEach(service => { service.readAt = at; });
}

function takeSample(at) {
  model.slot = (model.slot + 1) % SLOTS;
  model.times[model.slot] = at;
  for (const [name, listener] of model.listeners) {
    let series = model.series.get(name);
    if (!series) {
      series = { queue: new Float32Array(SLOTS).fill(NaN), drops: new Float32Array(SLOTS), total: listener.drops ?? 0 };
      model.series.set(name, series);
    }
    const total = listener.drops ?? series.total;
    series.queue[model.slot] = listener.queue?.length ?? NaN;
    series.drops[model.slot] = Math.max(0, total - series.total);
    series.total = total;
  }
  if (model.series.size > model.listeners.size) {
    [...model.series.keys()].filter(name => !model.listeners.has(name)).forEach(name => model.series.delete(name));
  }
}

/** A full message repeats the newest events. They go by their time: a daemon that recovered from a crash numbers them anew. */
function takeEvents(events, isFull) {
  const newest = model.events[0] ? Date.parse(model.events[0].at) : Infinity;
  const first = isFull && events.length > 0 ? Date.parse(events[0].at) : Infinity;
  model.events = [...events.toReversed(), ...model.events.filter(event => Date.parse(event.at) < first)].slice(0, MOST_EVENTS);
  return events.filter(event => Date.parse(event.at) > newest);
}

/** The readings of a listener within the time of the charts, oldest first: time, queue, new drops. */
function* samplesOf(name) {
  const series = model.series.get(name);
  const first = model.times[model.slot] - CHART_MS;
  for (let i = 1; series && i <= SLOTS; i++) {
    const slot = (model.slot + i) % SLOTS;
    if (model.times[slot] >= first) {
      yield { at: model.times[slot], queue: series.queue[slot], drops: series.drops[slot] };
    }
  }
}

/** The sum of a field over the workers of a service; null where none has it. */
function sumOf(service, field) {
  const values = service.workers.map(worker => worker[field]).filter(value => value != null);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/** The listeners with findings: name to the worst one. */
const worstFindings = () => new Map((model.diagnosis?.listeners ?? []).map(listener => [listener.name, listener.findings[0]]));

const isRollingOut = service => ["replacing", "canary", "draining", "rolling-back"].includes(service.rollout?.state);
