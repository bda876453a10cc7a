/**
 * A program for tests: runs a face network once on the native backend, and writes each output into
 * a file of the folder that has the input, `input.f32`. Arguments: the model's path, the folder, the
 * input's height and width.
 *
 * @module
 */
import { openSession } from "../runtime/onnx_session.ts";

const [model, folder, height, width] = Deno.args as [string, string, string, string];
const data = new Float32Array((await Deno.readFile(`${folder}/input.f32`)).buffer);
const session = await openSession(model, "native");
const outputs = await session.run({ input: { data, dims: [1, 3, Number(height), Number(width)] } });
for (const [name, output] of Object.entries(outputs)) {
  await Deno.writeFile(`${folder}/${name}.f32`, new Uint8Array(output.data.slice().buffer));
}
