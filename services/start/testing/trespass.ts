/**
 * A program that tries what a service has no business doing, and prints what it could do: run in
 * place of a service, with the permissions of that service.
 *
 * @module
 */
const { DATA_DIR } = Deno.env.toObject() as { DATA_DIR: string };

const TRIES: Readonly<Record<string, () => unknown>> = {
  "write media_store's folder": () => write(`${DATA_DIR}/media_store`),
  "write inference's folder": () => write(`${DATA_DIR}/inference`),
  "write DATA_DIR": () => write(DATA_DIR),
  "write MODELS_DIR": () => write(`${DATA_DIR}/../models`),
  "write its own program": () => write(import.meta.dirname!),
  "write elsewhere": () => write(`${DATA_DIR}/..`),
  "read its own program": () => Deno.readFile(import.meta.filename!),
  "read the system's files": () => Deno.readFile("/etc/passwd"),
  "read a variable that is no setting": () => present(Deno.env.get("PATH")),
  "listen on another port": () => Deno.listen({ hostname: "127.0.0.1", port: 1 }).close(),
  "connect to another port": () => Deno.connect({ hostname: "127.0.0.1", port: 1 }),
  "ask another host": () => fetch("http://localhost:4999/"),
  "run a program": () => new Deno.Command("true").output(),
  "load native code": () => Deno.dlopen("libc.so.6", {}),
};

async function write(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/trespass`, "");
  await Deno.remove(`${folder}/trespass`);
}

function present(value: string | undefined): void {
  if (value === undefined) throw new Deno.errors.NotCapable("unset");
}

/** Whether it may be done, whether or not it then succeeds. */
async function isAllowed(action: () => unknown): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotCapable);
  }
}

const allowed: string[] = [];
for (const [name, action] of Object.entries(TRIES)) if (await isAllowed(action)) allowed.push(name);
console.log(JSON.stringify(allowed));
Deno.exit(0);
