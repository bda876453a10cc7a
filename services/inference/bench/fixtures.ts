/**
 * What a comparison needs: the peers and the native backend, which are installed, pictures, and networks.
 *
 * @module
 */
import type { TaskType } from "@fovea/contract";
import { type TestModel, testModel } from "@fovea/testing/models";

export interface Fixtures {
  /** Folders of JPEGs. */
  megapixel: string;
  twelveMegapixels: string;
  /** ViT-B/32 at its full size, with random weights. */
  tower: TestModel;
  /** The same, quantised as onnxruntime does it. */
  quantisedTower: TestModel;
  /** The small one. */
  fixture: TestModel;
  /** Holds `seeded/`: the tower as a hub would have it. */
  modelsFolder: string;
}

const IMAGES = ["astronaut.png", "camera.png", "chelsea.png", "coffee.png", "horse.png"]
  .map((name) => new URL(`../../../clients/images/${name}`, import.meta.url).pathname);
const PEERS = new URL("./peers/", import.meta.url).pathname;
const NATIVE = new URL("../native/", import.meta.url).pathname;

/** How CLIP's own repository describes its preprocessing to @huggingface/transformers. */
const PREPROCESSOR = {
  image_processor_type: "CLIPImageProcessor",
  do_resize: true,
  size: 224,
  resample: 3,
  do_center_crop: true,
  crop_size: 224,
  do_normalize: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};

/** Makes everything in `folder`. Networks and what is installed lie elsewhere, and stay for the next time. */
export async function makeFixtures(folder: string): Promise<Fixtures> {
  for (const folder of [PEERS, NATIVE]) {
    await deno(["install", "--quiet", "--frozen", "--config", `${folder}deno.json`]);
  }
  const tower = await model("image_embedding", "clip-vit-b-32-seeded");
  const modelsFolder = `${folder}/models`;
  await Deno.mkdir(`${modelsFolder}/seeded/onnx`, { recursive: true });
  await Deno.symlink(tower.path, `${modelsFolder}/seeded/onnx/vision_model.onnx`);
  const write = (name: string, content: unknown) =>
    Deno.writeTextFile(`${modelsFolder}/seeded/${name}`, JSON.stringify(content));
  await write("config.json", { model_type: "clip_vision_model" });
  await write("preprocessor_config.json", PREPROCESSOR);
  return {
    megapixel: await pictures(`${folder}/1`, { count: 8, width: 1200, height: 900 }),
    twelveMegapixels: await pictures(`${folder}/12`, { count: 2, width: 4000, height: 3000 }),
    tower,
    quantisedTower: await model("image_embedding", "clip-vit-b-32-seeded-int8"),
    fixture: await model("image_embedding", "fixture"),
    modelsFolder,
  };
}

/** A model by its whole path, which links and other processes need. */
export async function model(task: TaskType, name: string): Promise<TestModel> {
  const found = await testModel(task, name);
  return { ...found, path: await Deno.realPath(found.path) };
}

async function pictures(
  to: string,
  sheet: { count: number; width: number; height: number },
): Promise<string> {
  await Deno.mkdir(to);
  await deno([
    "run",
    "--quiet",
    "--allow-all",
    `${PEERS}pictures.ts`,
    JSON.stringify({ from: IMAGES, to, ...sheet }),
  ]);
  return to;
}

async function deno(args: string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`Cannot measure: deno ${args[0]} failed`);
}
