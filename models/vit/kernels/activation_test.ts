import assert from "node:assert/strict";
import { erf } from "../testing/reference.ts";
import { openWorkbench } from "../testing/workbench.ts";

const FORMULAS = {
  quick_gelu: (x: number) => x / (1 + Math.exp(-1.702 * x)),
  gelu: (x: number) => x * (1 + erf(x / Math.SQRT2)) / 2,
};

for (const [name, formula] of Object.entries(FORMULAS)) {
  Deno.test(`${name} is within 4e-7·|x| of float64 from −100 to 100`, async () => {
    const { kernels, floats, isTidy } = await openWorkbench();
    const inputs = Float32Array.from({ length: 40_004 }, (_, i) => (i - 20_002) / 200);
    const x = floats(inputs);
    kernels[name as keyof typeof FORMULAS](x.address, x.numbers.length);
    inputs.forEach((input, i) => {
      const error = Math.abs(x.numbers[i]! - formula(input));
      assert.ok(error <= 4e-7 * Math.abs(input), `${name}(${input}) is off by ${error}`);
    });
    assert.ok(isTidy());
  });
}
