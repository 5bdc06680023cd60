/* Figures in our words: 84 ms, 2.6 s, 1 min 12 s, 18,402. The templates' filters do the same. */
const GAP = "\u00a0";
const counts = new Intl.NumberFormat("en-US");

export function figure(value) {
  return counts.format(value);
}

/** [number, unit] of a duration in milliseconds. */
export function durationParts(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return ["–", ""];
  if (milliseconds < 999.5) return [String(Math.round(Math.max(milliseconds, 0))), "ms"];
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return [seconds.toFixed(1), "s"];
  const whole = Math.round(seconds);
  if (whole < 3600) return [`${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`, "min"];
  return [`${Math.floor(whole / 3600)}:${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}`, "h"];
}

export function duration(milliseconds) {
  const [number, unit] = durationParts(milliseconds);
  return unit ? number + GAP + unit : number;
}

/** A speed with three figures at most. */
export function rate(value) {
  if (value >= 1000) return figure(Math.round(value));
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** A value between 0 and 1, or any other number, short. */
export function value(number) {
  if (number === null || number === undefined || Number.isNaN(number)) return "no value";
  const digits = number !== 0 && Math.abs(number) < 0.01 ? 3 : 2;
  return Math.abs(number) <= 1 ? minus(number.toFixed(digits)) : minus(String(Number(number.toPrecision(6))));
}

export function minus(text) {
  return text.replace("-", "−");
}

export function bytes(size) {
  if (size < 1000) return `${size}${GAP}B`;
  if (size < 999_500) return `${Math.round(size / 1000)}${GAP}kB`;
  return `${(size / 1e6).toFixed(size < 9_950_000 ? 1 : 0)}${GAP}MB`;
}

export function plural(count, word) {
  return `${figure(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** How long ago, as the templates say it; a date after a week. */
export function age(at, now) {
  const passed = (now - at) / 1000;
  if (passed < 3) return "just now";
  if (passed < 60) return `${Math.floor(passed)}${GAP}s ago`;
  if (passed < 3600) return `${Math.floor(passed / 60)}${GAP}min ago`;
  if (passed < 86_400) return `${Math.floor(passed / 3600)}${GAP}h ago`;
  const days = Math.floor(passed / 86_400);
  if (days < 7) return `${days}${GAP}${days === 1 ? "day" : "days"} ago`;
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(at);
}
