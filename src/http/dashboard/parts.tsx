// The small parts that pages are made of.
import type { FC, PropsWithChildren } from "hono/jsx";
import type { Problem } from "./api-client.ts";
import { ago } from "./words.ts";

/** A command to copy. The script puts a button beside it. */
export const Command: FC<{ readonly text: string; readonly label?: string }> = ({ text, label }) => (
  <div class="command">
    {label === undefined ? null : <p class="command-label">{label}</p>}
    <pre>
      <code>{text}</code>
    </pre>
  </div>
);

/** How to do the same without this page. */
export const FromTerminal: FC<{ readonly text: string }> = ({ text }) => (
  <details class="terminal">
    <summary>From a terminal</summary>
    <Command text={text} />
  </details>
);

/** How long ago something was; the script keeps it true, and says the moment in the reader's own time zone. */
export const Ago: FC<{ readonly at: string }> = ({ at }) => (
  <time datetime={at} title={at.replace("T", " ").replace(/\.\d+Z$/, " UTC")} data-ago>
    {ago(Date.parse(at), Date.now())}
  </time>
);

/** good: works. busy: under way. bad: needs somebody. calm: nothing of the three. */
export type Tone = "good" | "busy" | "bad" | "calm";

/** A state in a word or two: the word says it, the colour only helps. */
export const Badge: FC<{ readonly tone: Tone; readonly text: string }> = ({ tone, text }) => (
  <span class={`badge ${tone}`}>{text}</span>
);

/** What came of what somebody just did. */
export const Notice: FC<PropsWithChildren<{ readonly tone: Tone }>> = ({ tone, children }) => (
  <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
    {children}
  </div>
);

/** Why it was refused, in the API's words. */
export const ProblemNotice: FC<{ readonly problem: Problem }> = ({ problem }) => (
  <Notice tone="bad">
    <p>{problem.detail}</p>
    <p class="fine">
      <code>{problem.code}</code>
    </p>
  </Notice>
);

/** What is shown where there is nothing yet. */
export const Empty: FC<PropsWithChildren<{ readonly title: string }>> = ({ title, children }) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
);

/** A number and what it counts. */
export const Fact: FC<PropsWithChildren<{ readonly label: string }>> = ({ label, children }) => (
  <div>
    <dt>{label}</dt>
    <dd>{children}</dd>
  </div>
);

/** The first digits of a commit's id. */
export const CommitId: FC<{ readonly id: string }> = ({ id }) => (
  <code class="commit" title={id}>
    {id.slice(0, 7)}
  </code>
);

/** A button that first says what it will do, and does it on the second press. Needs no script. */
export const Confirm: FC<PropsWithChildren<{ readonly label: string; readonly name: string }>> = ({
  label,
  name,
  children,
}) => (
  <details class="confirm">
    <summary aria-label={name}>{label}</summary>
    <div class="confirm-body">{children}</div>
  </details>
);
