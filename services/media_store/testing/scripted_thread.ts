/**
 * Threads for tests, which answer by a few lines instead of ImageMagick.
 *
 * @module
 */

const imports = [
  `import { answerQuestions } from "${new URL("../thread_worker.ts", import.meta.url)}"`,
  `import { interruptible } from "${import.meta.resolve("@fovea/process/interruptible")}"`,
];

const HELP = `
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  // As on a machine that gives the thread no core.
  const keptWaiting = () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    while (true) Atomics.wait(cell, 0, 0, 20);
  };`;

/**
 * @param answer source of a function from a question to its answer; it may call `interruptible`,
 *   `pause` and `keptWaiting`
 * @param start source of what is done when the thread starts
 */
export function scriptedThread(answer: string, start = ""): URL {
  const source = [...imports, HELP, start, `answerQuestions(${answer});`].join("\n");
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}
