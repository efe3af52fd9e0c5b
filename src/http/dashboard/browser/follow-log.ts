// An app's log as it grows: one server-sent event a line. What the app wrote becomes text, never markup.

/** As the API writes a line. */
interface LogLine {
  readonly id: number;
  readonly at: string;
  readonly kind: string;
  readonly level: string;
  readonly environment: string;
  readonly deploy: number;
  readonly text: string;
}

/** More would make the page slow; older ones stay a page away. */
const MAX_LINES = 2000;

export function followLog(): void {
  const list = document.getElementById("log-lines");
  const path = list?.dataset["stream"];
  if (list === null || path === undefined) return;
  const state = document.getElementById("log-state");
  const pause = document.getElementById("log-pause");
  const source = new EventSource(path);
  let isPaused = false;
  const waiting: HTMLElement[] = [];
  const say = (text: string): void => {
    if (state !== null) state.textContent = text;
  };
  const take = (element: HTMLElement): void => {
    if (isPaused) {
      waiting.push(element);
      if (waiting.length > MAX_LINES) waiting.shift();
      say(`Paused, ${waiting.length} new`);
    } else append(list, [element]);
  };
  source.addEventListener("open", () => say("Following"));
  source.addEventListener("error", () => say("Connecting again …"));
  source.addEventListener("line", (event: MessageEvent<string>) => take(lineElement(JSON.parse(event.data))));
  source.addEventListener("missed", (event: MessageEvent<string>) => {
    const { missed }: { readonly missed: number } = JSON.parse(event.data);
    take(noteElement(`${missed} lines came faster than they could be shown.`));
  });
  addEventListener("pagehide", () => source.close());
  if (pause === null) return;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    say(isPaused ? "Paused" : "Following");
    if (!isPaused) append(list, waiting.splice(0));
  });
}

function append(list: HTMLElement, elements: readonly HTMLElement[]): void {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  document.getElementById("log-empty")?.remove();
  list.append(...elements);
  while (list.childElementCount > MAX_LINES) list.firstElementChild?.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

/** As logs.tsx makes it on the server. */
function lineElement(line: LogLine): HTMLElement {
  const item = document.createElement("div");
  item.className = `log-line ${line.level}`;
  const time = document.createElement("time");
  time.dateTime = line.at;
  time.textContent = line.at.slice(11, 23);
  time.title = new Date(line.at).toLocaleString();
  const body = document.createElement("span");
  const meta = document.createElement("span");
  meta.className = "meta";
  meta.textContent = `#${line.deploy} ${line.kind === "console" ? line.level : line.kind} `;
  const text = document.createElement("span");
  text.className = "text";
  text.textContent = line.text;
  body.append(meta, text);
  item.append(time, body);
  return item;
}

function noteElement(message: string): HTMLElement {
  const item = document.createElement("div");
  item.className = "log-line warn";
  item.textContent = message;
  return item;
}
