/**
 * `deno task verify-models`: holds the real weights, and all that is done to a picture before and
 * after them, against values that others have published.
 *
 * @module
 */
import { findModel, modelsFor } from "@fovea/models";
import { parseArgs } from "node:util";
import { decode } from "./picture/decode.ts";
import { clipInput } from "./tasks/image_embedding.ts";
import { openSession } from "./runtime/onnx_session.ts";
import { dot, embedCaptions, isPublished, nearest, TEXT_TOWER } from "./verify_captions.ts";

const HELP = `Usage: ./fovea verify-models [model]

Embeds known pictures and compares with published values; model defaults to clip-vit-b-32. Where
clip-vit-b-32-int8 is there too, it is compared with that. Where CLIP's text tower is there, as
${TEXT_TOWER.file}, captions are put in order by it; it comes from
${TEXT_TOWER.url}

  MODELS_DIR   where models lie; default ./models/cache

Exit code: 0 all checks passed, 1 one failed or the weights are missing, 2 wrong usage.`;

const REFERENCE = "clip-vit-b-32";
const QUANTISED = "clip-vit-b-32-int8";

/** The first values of OpenAI's ViT-B/32 for the astronaut, before they are normalised. */
const ASTRONAUT = [0.318, 0.305, -0.155, 0.0767, -0.170, 0.132, -0.297, -0.194, -0.305, 0.230];

/** Three published digits, and a picture scaled by another library: values lie between 0.08 and 0.3. */
const TOLERANCE = 0.02;

/** Published for the quantised tower is a cosine of 0.94 to the other for the same picture. */
const LEAST_COSINE = 0.9;

const PICTURES = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"];

export interface Check {
  name: string;
  passed: boolean;
  /** What was found. */
  detail: string;
}

/** From the name of a picture to its embedding as the network gives it, not normalised. */
type Embed = (picture: string) => Promise<Float32Array>;

/** Compares the first values of a vector with published ones. */
export function compareFirstValues(values: ArrayLike<number>, published: number[]): Check {
  const differences = published.map((value, i) => Math.abs(value - values[i]!));
  return {
    name: `the first ${published.length} values are the published ones`,
    // Also where a value is no number.
    passed: differences.every((difference) => difference <= TOLERANCE),
    detail: `largest difference ${Math.max(...differences).toFixed(4)}, allowed ${TOLERANCE}`,
  };
}

async function main(args: string[]): Promise<number> {
  let choice = REFERENCE;
  try {
    const options = { help: { type: "boolean" } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    choice = positionals[0] ?? choice;
    modelsFor("image_embedding", choice);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  const embed = await open(choice);
  if (embed === null) {
    console.error(
      `Cannot verify ${choice}: its weights are not in MODELS_DIR: ` +
        `run \`./fovea models ${choice}\``,
    );
    return 1;
  }
  const astronaut = await embed("astronaut.png");
  const checks = [compareFirstValues(astronaut, ASTRONAUT)];
  const quantised = choice === REFERENCE ? await open(QUANTISED) : null;
  if (quantised !== null) {
    for (const picture of PICTURES) checks.push(await compareTowers(picture, embed, quantised));
  }
  checks.push(...await checkCaptions(embed));
  for (const { name, passed, detail } of checks) {
    console.log(`${passed ? "pass" : "FAIL"}  ${choice}: ${name} (${detail})`);
  }
  if (!await isThere(textTower())) {
    console.log(`skip  ${choice}: captions: the text tower is not in MODELS_DIR, see --help`);
  }
  return checks.every(({ passed }) => passed) ? 0 : 1;
}

/** Of pictures and captions, with the text tower where that is there. */
async function checkCaptions(embed: Embed): Promise<Check[]> {
  const path = textTower();
  if (!await isThere(path)) return [];
  const captions = await embedCaptions(path);
  const order = nearest(await embed("chelsea.png"), captions);
  return [
    {
      name: `${TEXT_TOWER.file} is the published one`,
      passed: await isPublished(path),
      detail: `SHA-256 has to be ${TEXT_TOWER.sha256}`,
    },
    {
      name: `of photos of a ${[...captions.keys()].join(", ")}, chelsea.png is one of a cat`,
      passed: order[0] === "cat",
      detail: `nearest first: ${order.join(", ")}`,
    },
  ];
}

const modelsDir = () => Deno.env.get("MODELS_DIR") || "./models/cache";
const textTower = () => `${modelsDir()}/${TEXT_TOWER.file}`;
const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

async function compareTowers(picture: string, embed: Embed, quantised: Embed): Promise<Check> {
  const [a, b] = [await embed(picture), await quantised(picture)];
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  return {
    name: `${QUANTISED} is near it for ${picture}`,
    passed: cosine >= LEAST_COSINE,
    detail: `cosine ${cosine.toFixed(3)}, at least ${LEAST_COSINE}`,
  };
}

/** Loads a tower by its name; null where its weights are not there. */
async function open(choice: string): Promise<Embed | null> {
  const [entry] = modelsFor("image_embedding", choice);
  const path = await findModel(entry!, modelsDir());
  if (path === null) return null;
  const session = await openSession(path);
  return async (name) => {
    const file = new URL(`../../clients/images/${name}`, import.meta.url);
    using picture = await decode(await Deno.readFile(file), Infinity);
    const pixels = { data: clipInput(picture), dims: [1, 3, 224, 224] };
    return (await session.run({ pixel_values: pixels })).image_embeds!.data;
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
