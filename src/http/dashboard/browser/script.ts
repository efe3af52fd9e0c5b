// What pages do beside what they do without it: copy buttons, times that stay true, parts that follow what happens, logs that grow.
// Text of an app's only ever becomes text. HTML comes from this host's own pages alone, escaped there.
import { followLog } from "./follow-log.ts";
import { followParts } from "./follow-parts.ts";
import { keepTimesTrue } from "./times.ts";

/** A button beside each command that is to be copied. */
function addCopyButtons(): void {
  for (const command of document.querySelectorAll<HTMLElement>(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    const label = command.querySelector(".command-label")?.textContent;
    button.setAttribute("aria-label", label ? `Copy: ${label}` : "Copy the command");
    button.addEventListener("click", () => {
      void navigator.clipboard.writeText(command.querySelector("code")?.textContent ?? "").then(() => {
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      });
    });
    command.classList.add("can-copy");
    command.append(button);
  }
}

/** What takes a moment says so, and is not sent twice. */
function showBusyForms(): void {
  document.addEventListener("submit", (event) => {
    const { submitter } = event;
    if (!(submitter instanceof HTMLButtonElement) || submitter.dataset["busy"] === undefined) return;
    submitter.textContent = submitter.dataset["busy"];
    // After this event: a disabled button's form is not sent.
    setTimeout(() => (submitter.disabled = true));
  });
  // A page that the browser kept and shows again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

/** On a narrow screen the current one of the tabs may be out of sight. */
function showCurrentTab(): void {
  const current = document.querySelector<HTMLElement>(".tabs [aria-current]");
  if (current?.parentElement) current.parentElement.scrollLeft = current.offsetLeft - 40;
}

if (isSecureContext) addCopyButtons();
showBusyForms();
showCurrentTab();
keepTimesTrue();
followParts();
followLog();
