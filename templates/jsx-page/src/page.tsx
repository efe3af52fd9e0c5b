// The page. Components are functions; what they are given is escaped unless it is JSX itself.
import type { FC } from "hono/jsx";

export const CHOICES: readonly string[] = ["Tabs", "Spaces", "Whatever the formatter does"];

export const PollPage: FC<{ counts: ReadonlyMap<string, number> }> = ({ counts }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Poll</title>
      <style>{"body { font: 1.1rem/1.6 system-ui; max-width: 30rem; margin: 3rem auto; padding: 0 1rem }"}</style>
    </head>
    <body>
      <h1>Tabs or spaces?</h1>
      <form method="post" action="/vote">
        {CHOICES.map((choice) => (
          <Choice name={choice} count={counts.get(choice) ?? 0} />
        ))}
      </form>
    </body>
  </html>
);

const Choice: FC<{ name: string; count: number }> = ({ name, count }) => (
  <p>
    <button name="choice" value={name}>
      {name}
    </button>{" "}
    {count} {count === 1 ? "vote" : "votes"}
  </p>
);
