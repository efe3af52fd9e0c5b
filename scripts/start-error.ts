/** What keeps a script from doing what it was asked: one sentence for the person who ran it, without a stack. */
export class StartError extends Error {}

/** Runs a script's main function. A StartError becomes its sentence and exit code 1. */
export async function runScript(main: () => Promise<void> | void): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
