// "3 min ago" for as long as the page is open, and the moment in the reader's own time zone.

const UNITS = [
  { upToS: 60, ofS: 1, name: "s" },
  { upToS: 3600, ofS: 60, name: "min" },
  { upToS: 2 * 86_400, ofS: 3600, name: "h" },
  { upToS: Number.POSITIVE_INFINITY, ofS: 86_400, name: "days" },
] as const;

const EVERY_MS = 10_000;

/** As words.ts on the server. */
function ago(timeMs: number, nowMs: number): string {
  const distanceS = Math.abs(nowMs - timeMs) / 1000;
  if (distanceS < 5) return "just now";
  const unit = UNITS.find(({ upToS }) => distanceS < upToS) ?? UNITS[3];
  const span = `${Math.round(distanceS / unit.ofS)} ${unit.name}`;
  return timeMs > nowMs ? `in ${span}` : `${span} ago`;
}

function tellTimes(): void {
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-ago]")) {
    const timeMs = Date.parse(time.dateTime);
    const text = ago(timeMs, Date.now());
    if (time.textContent !== text) time.textContent = text;
    time.title = new Date(timeMs).toLocaleString();
  }
}

export function keepTimesTrue(): void {
  tellTimes();
  setInterval(tellTimes, EVERY_MS);
}
