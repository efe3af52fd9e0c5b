// A bar for each day, as SVG in the page; the same numbers stand in a table beneath it for who cannot see it.
import type { FC } from "hono/jsx";
import { count } from "./words.ts";

/** One day's bar: all of it, and the part of it that is bad. */
export interface Bar {
  readonly day: string;
  readonly value: number;
  readonly bad: number;
}

const WIDTH = 760;
const HEIGHT = 190;
const LEFT = 48;
const BOTTOM = 24;
const TOP = 10;

export const BarChart: FC<{ readonly bars: readonly Bar[]; readonly label: string }> = ({ bars, label }) => {
  const top = niceTop(Math.max(1, ...bars.map(({ value }) => value)));
  const step = (WIDTH - LEFT) / Math.max(1, bars.length);
  const plot = HEIGHT - BOTTOM - TOP;
  const y = (value: number): number => TOP + plot - (value / top) * plot;
  const every = Math.ceil(bars.length / 8);
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {[0, top / 2, top].map((value) => (
        <>
          <line class="axis" x1={LEFT} x2={WIDTH} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 8} y={y(value) + 4} text-anchor="end">
            {shortCount(value)}
          </text>
        </>
      ))}
      {bars.map(({ day, value, bad }, index) => (
        <>
          {value > 0 ? (
            <rect
              class="bar"
              x={LEFT + index * step + step * 0.15}
              y={y(value)}
              width={step * 0.7}
              height={Math.max(1, TOP + plot - y(value))}
              rx="2"
            >
              <title>{`${day}: ${count(value)}`}</title>
            </rect>
          ) : null}
          {bad > 0 ? (
            <rect
              class="bar-bad"
              x={LEFT + index * step + step * 0.15}
              y={y(bad)}
              width={step * 0.7}
              height={Math.max(1, TOP + plot - y(bad))}
            >
              <title>{`${day}: ${count(bad)} of them errors`}</title>
            </rect>
          ) : null}
          {(bars.length - 1 - index) % every === 0 ? (
            <text
              x={LEFT + (index + 0.5) * step}
              y={HEIGHT - 6}
              text-anchor={index === bars.length - 1 ? "end" : "middle"}
            >
              {day.slice(5)}
            </text>
          ) : null}
        </>
      ))}
    </svg>
  );
};

/** The next of 2, 4, 6, 8, 10, 20, … whose half is a whole number too. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const nice = [2, 4, 6, 8, 10].find((factor) => factor * power >= value) ?? 10;
  return nice * power;
}

function shortCount(value: number): string {
  if (value >= 1_000_000) return `${value / 1_000_000}M`;
  if (value >= 10_000) return `${value / 1000}k`;
  return Number.isInteger(value) ? count(value) : value.toFixed(1);
}
