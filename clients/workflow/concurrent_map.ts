/**
 * Works on several inputs at once and yields what came out in the order of the inputs.
 *
 * @param limit how many run at the same time, at most
 * @param work must not reject: an input's failure is a result like any other
 */
export async function* mapConcurrently<Input, Output>(
  inputs: readonly Input[],
  limit: number,
  work: (input: Input) => Promise<Output>,
): AsyncGenerator<Output> {
  const places = inputs.map((input) => ({ input, output: Promise.withResolvers<Output>() }));
  const waiting = places.values();
  const workThrough = async () => {
    for (const { input, output } of waiting) output.resolve(await work(input));
  };
  for (let count = 0; count < Math.min(limit, inputs.length); count++) workThrough();
  for (const { output } of places) yield await output.promise;
}
