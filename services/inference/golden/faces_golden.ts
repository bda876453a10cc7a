/**
 * Golden values of face detection, computed by faces_golden.py from what the networks say of
 * faces_views.ts on onnxruntime-node. As a program, with numpy, the native backend and all three
 * models at hand, it writes faces_golden.json:
 *
 *     MODEL_MIRROR=… deno run --allow-env --allow-net --allow-read --allow-write --allow-run \
 *       services/inference/golden/faces_golden.ts
 *
 * @module
 */
import { endOf, temporaryFolder } from "@fovea/testing";
import { type TestModel, testModel } from "@fovea/testing/models";
import type { Detection } from "../faces/face_net.ts";
import { NATIVE_FLAGS, runProgram } from "../testing/native_program.ts";
import { goldenViews, type Pixels } from "./faces_views.ts";

/** Each model, with the frame of its network and the name by which the script knows it. */
const NETS = {
  "yunet-2023mar": { net: "yunet", width: 640, height: 640 },
  "yunet-n-dynamic": { net: "yunet", width: 640, height: 640 },
  "ultraface-rfb-320": { net: "ultraface", width: 320, height: 240 },
} as const;
export type ModelName = keyof typeof NETS;

export type View = keyof Awaited<ReturnType<typeof goldenViews>>;

/** Of each model, the faces in each view, most confident first. */
export type Golden = Record<ModelName, Record<View, Detection[]>>;

const SCRIPT = new URL("faces_golden.py", import.meta.url).pathname;
const JSON_FILE = new URL("faces_golden.json", import.meta.url);

/** A Python that has numpy, where there is one; Debian's own may stand behind another. */
export const PYTHON: string | undefined = ["python3", "/usr/bin/python3"].find((program) => {
  try {
    return new Deno.Command(program, { args: ["-c", "import numpy"] }).outputSync().success;
  } catch {
    return false;
  }
});

/** The faces that the script finds in a view, by its own input and its own reading of the outputs. */
export async function computeGolden(model: TestModel, view: Pixels): Promise<Detection[]> {
  const { net, width, height } = NETS[model.name as ModelName];
  await using folder = await temporaryFolder();
  const file = (name: string) => `${folder.path}/${name}`;
  const description = { net, width: view.width, height: view.height };
  await Deno.writeTextFile(file("view.json"), JSON.stringify(description));
  await Deno.writeFile(file("view.rgb"), view.rgb);
  await runScript("input", folder.path);
  const path = await Deno.realPath(model.path);
  const args = [path, folder.path, String(height), String(width)];
  const { code, stderr } = await runProgram("native_outputs.ts", args, [
    ...NATIVE_FLAGS,
    `--allow-write=${folder.path}`,
  ]);
  if (code !== 0) throw new Error(`Cannot compute golden values: ${stderr}`);
  return JSON.parse(await runScript("faces", folder.path));
}

async function runScript(step: "input" | "faces", folder: string): Promise<string> {
  if (PYTHON === undefined) throw new Error("Cannot compute golden values: no Python with numpy");
  const { code, stdout, stderr } = await endOf(PYTHON, { args: [SCRIPT, step, folder] });
  if (code !== 0) throw new Error(`${SCRIPT} failed: ${stderr}`);
  return stdout;
}

/** Numbers to a thousandth, a point on one line. */
function asJson(golden: Partial<Golden>): string {
  const round = (_key: string, value: unknown) =>
    typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
  const lines = JSON.stringify(golden, round, 2);
  return lines.replaceAll(/\[\s+([\d.-]+),\s+([\d.-]+)\s+\]/g, "[$1, $2]") + "\n";
}

if (import.meta.main) {
  const golden: Partial<Golden> = {};
  for (const name of Object.keys(NETS) as ModelName[]) {
    const model = await testModel("face_detection", name);
    const { portrait, group } = await goldenViews(NETS[name]);
    golden[name] = {
      portrait: await computeGolden(model, portrait),
      group: await computeGolden(model, group),
    };
  }
  await Deno.writeTextFile(JSON_FILE, asJson(golden));
}
