// Numbers, times and states as text.

const TONES = {
  running: "good", ready: "good", listening: "good", bound: "good", held: "good", done: "good",
  starting: "busy", rolling: "busy", replacing: "busy", canary: "busy", draining: "busy", stopping: "busy", "rolling-back": "bad",
  degraded: "warn", backoff: "warn", superseded: "warn", "rolled-back": "bad", failed: "bad",
  critical: "bad", warning: "warn", info: "quiet",
};

/** The colour of a state: good, busy, warn, bad or quiet. */
const toneOf = state => TONES[state] ?? "quiet";

const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

const NUMBERS = new Intl.NumberFormat("en");

const number = value => NUMBERS.format(value);

const NONE = "–";

/** Bytes in the largest unit that has a digit before the point. */
function bytes(value) {
  if (value == null) {
    return NONE;
  }
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const percent = ratio => ratio == null ? NONE : `${ratio < 0.0995 && ratio > 0 ? (ratio * 100).toFixed(1) : Math.round(ratio * 100)} %`;

/** A duration in its two largest units. */
function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"]];
  const first = parts.findIndex(([count]) => count > 0);
  return first < 0 ? "0 s" : parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY_CLOCK = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The time of day; of another day with its date. */
function clock(at) {
  const time = new Date(at);
  return (Date.now() - time < 20 * 3600 * 1000 ? CLOCK : DAY_CLOCK).format(time);
}

/** A value of a socket option: a number or a text. */
const scalar = value => value == null ? NONE : String(value);
