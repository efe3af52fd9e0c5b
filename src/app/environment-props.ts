// What the host's own entrypoints know of the app that calls them: it is in the stub that the app's isolate was given, and an app can
// neither read nor change it.

/** Which app, in which of its environments, running which deploy. */
export interface EnvironmentProps {
  readonly app: string;
  readonly facet: string;
  /** 0 in a rehearsal, which has no number yet. */
  readonly deployNumber: number;
}

/** The same within the app's own supervisor: which environment and deploy something is of. */
export type LogSource = Omit<EnvironmentProps, "app">;
