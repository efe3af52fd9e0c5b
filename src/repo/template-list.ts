// What the starter templates say of themselves: the beginning of each one's README.md.
import generated from "./templates.generated.json" with { type: "json" };
import type { TemplateFiles } from "./template-commit.ts";

/** A template as a newcomer is told of it. */
export interface TemplateSummary {
  readonly name: string;
  readonly title: string;
  /** A paragraph; code in it stands between backticks. */
  readonly text: string;
}

/** All of them, by name. */
export function listTemplates(
  templates: Readonly<Record<string, TemplateFiles>> = generated,
): readonly TemplateSummary[] {
  return Object.entries(templates).map(([name, files]) => {
    const [title = "", text = ""] = (files["README.md"] ?? "").split(/\n{2,}/, 2);
    return { name, title: title.replace(/^#\s*/, "") || name, text: readPlain(text) };
  });
}

/** Markdown's links without where they lead. */
function readPlain(paragraph: string): string {
  return paragraph.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("\n", " ");
}
