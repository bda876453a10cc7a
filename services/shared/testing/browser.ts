/**
 * Debian's Chromium, steered by its DevTools protocol: pages do in it what they may do in a user's.
 *
 * @module
 */
import { Child } from "./child.ts";
import { temporaryFolder } from "./temporary_folder.ts";
import { within } from "./until.ts";

export interface Page {
  /** Goes to an address and waits until its page is loaded. */
  goTo(url: string): Promise<void>;
  /** What an expression becomes in the page, once its promise is settled; it must fit into JSON. */
  evaluate<T>(expression: string): Promise<T>;
}

export interface Browser extends AsyncDisposable {
  page(): Promise<Page>;
}

const PROGRAM = "/usr/bin/chromium";

export const hasChromium = await Deno.stat(PROGRAM).then(() => true, () => false);

/** Milliseconds that a single command may take. */
const LIMIT_MS = 60_000;

/** Every name under `.test` is this machine. */
export async function startBrowser(): Promise<Browser> {
  await using cleanup = new AsyncDisposableStack();
  const profile = cleanup.use(await temporaryFolder());
  const child = cleanup.use(
    new Child(PROGRAM, {
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--disable-dev-shm-usage", "--remote-debugging-port=0"],
        "--host-resolver-rules=MAP *.test 127.0.0.1",
        `--user-data-dir=${profile.path}`,
      ],
    }),
  );
  const address = await child.first((line) => line.match(/^DevTools listening on (ws:.*)$/)?.[1]);
  const socket = new WebSocket(address);
  cleanup.defer(() => socket.close());
  const opened = Promise.withResolvers<void>();
  socket.onopen = () => opened.resolve();
  socket.onerror = () => opened.reject(new Error("Chromium can't be steered"));
  await within("Chromium to be steered", opened.promise);
  const { send, once } = commandsOver(socket);

  const owned = cleanup.move();
  return {
    async page() {
      const { targetId } = await send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      await send("Page.enable", {}, sessionId);
      return {
        async goTo(url) {
          const loaded = once("Page.loadEventFired", sessionId);
          await send("Page.navigate", { url }, sessionId);
          await loaded;
        },
        async evaluate<T>(expression: string) {
          const how = { expression, awaitPromise: true, returnByValue: true };
          const { result, exceptionDetails } = await send("Runtime.evaluate", how, sessionId);
          if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
          return (result as { value: T }).value;
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A message of the protocol; which members it has depends on what it answers. */
type Message = Record<string, unknown> & { sessionId: string; targetId: string };

function commandsOver(socket: WebSocket) {
  let last = 0;
  const waiting = new Map<number | string, (message: Message) => void>();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    const key = message.id ?? `${message.method} ${message.sessionId}`;
    waiting.get(key)?.(message);
    waiting.delete(key);
  };
  const wait = (key: number | string, what: string) =>
    new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${what}`)), LIMIT_MS);
      waiting.set(key, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
  return {
    /** @throws {Error} where the browser refuses or does not answer */
    async send(method: string, params: object, sessionId?: string): Promise<Message> {
      const id = ++last;
      const answer = wait(id, method);
      socket.send(JSON.stringify({ id, method, params, sessionId }));
      const { result, error } = await answer;
      if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
      return result as Message;
    },
    once: (method: string, sessionId: string) => wait(`${method} ${sessionId}`, method),
  };
}
