// The header, the findings and the roll-outs.

function renderSummary() {
  renderFacts();
  renderFindings();
  renderRollouts();
}

function renderFacts() {
  const { daemon } = model;
  const services = [...model.services.values()];
  const drops = [...model.listeners.values()].reduce((sum, listener) => sum + (listener.drops ?? 0), 0);
  const config = daemon.config ?? {};
  const facts = [
    ["Version", daemon.version, "quiet"],
    ["Up for", duration(daemonNow() - Date.parse(daemon.started_at)), "quiet"],
    ["Services", `${number(services.filter(isCalm).length)} of ${number(services.length)} running`,
      services.every(isCalm) ? "quiet" : "warn"],
    ["Dropped", number(drops), drops > 0 ? "warn" : "quiet"],
    ["Upgrades", number(daemon.upgrades), "quiet"],
    ["Configuration", config.differs ? "differs from its files" : config.last_reload?.outcome === "refused" ? "last reload refused" : "in force",
      config.differs || config.last_reload?.outcome === "refused" ? "warn" : "quiet"],
  ];
  sync(byId("facts"), facts, ([name]) => name, ([name]) => element("div", {}, element("dt", {}, name), element("dd")), (node, [, text, tone]) => {
    setText(node.lastElementChild, text);
    setAttribute(node, "data-tone", tone);
  });
}

/** Whether a service needs no attention. */
const isCalm = service => ["running", "rolling", "stopped", "starting", "stopping"].includes(service.state);

/** All findings, each with the listener it is about. */
function allFindings() {
  const { diagnosis } = model;
  const found = (diagnosis?.listeners ?? []).flatMap(listener => listener.findings.map(finding => ({ ...finding, listener: listener.name })));
  return [...found, ...(diagnosis?.host.findings ?? [])].sort((one, other) => weight(one) - weight(other));
}

const weight = finding => ["critical", "warning", "info"].indexOf(finding.severity);

function renderFindings() {
  const { diagnosis } = model;
  if (!diagnosis) {
    return;
  }
  const findings = allFindings();
  const verdict = byId("verdict");
  setAttribute(verdict, "data-tone", findings.length === 0 ? "good" : toneOf(findings[0].severity));
  setText(verdict.firstElementChild, capital(diagnosis.verdict));
  sync(byId("findings"), findings.slice(0, 50), finding => `${finding.code} ${finding.listener} ${finding.worker?.pid} ${finding.shard}`,
    makeFinding, (node, finding) => {
      setPill(node.children[0], finding.severity);
      const [text, advice, evidence] = node.children[1].children;
      setText(text, capital(finding.text));
      text.hidden = finding.text === diagnosis.verdict;
      setText(advice, finding.advice);
      setText(evidence, finding.evidence.join(" · "));
      evidence.hidden = finding.evidence.length === 0;
    });
}

const makeFinding = finding => element("li", { "data-code": finding.code }, makePill(), element("div", {},
  element("p", { class: "text" }), element("p", { class: "advice" }), element("p", { class: "evidence" })));

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

function renderRollouts() {
  const rolling = [...model.services.values()].filter(isRollingOut);
  byId("rollouts-section").hidden = rolling.length === 0;
  sync(byId("rollouts"), rolling.slice(0, 20), service => service.name, makeRollout, (node, { rollout }) => {
    const [head, bar, text] = node.children;
    setPill(head.children[1], rollout.state);
    setText(head.children[2], `generation ${rollout.from} to ${rollout.to}, ${duration(rollout.elapsed_ms)}`);
    setAttribute(bar, "max", Math.max(rollout.total, 1));
    setAttribute(bar, "value", rollout.replaced);
    setText(text, [
      `${rollout.replaced} of ${plural(rollout.total, "worker")} replaced`,
      rollout.draining > 0 ? `${rollout.draining} draining${rollout.draining_connections == null ? ""
        : ` with ${plural(rollout.draining_connections, "connection")}`}` : null,
      rollout.cut > 0 ? `${plural(rollout.cut, "connection")} cut` : null,
      rollout.waits, rollout.reason,
    ].filter(Boolean).join(", "));
  });
}

const makeRollout = service => element("li", { "data-service": service.name },
  element("p", { class: "head" }, element("strong", {}, service.name), makePill(), element("span", { class: "muted" })),
  element("progress", { "aria-label": `Roll-out of ${service.name}` }), element("p", { class: "muted" }));
