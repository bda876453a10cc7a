/**
 * How much memory this thread's WebAssembly holds. Such a memory grows with the largest picture it
 * has met and never shrinks, and no runtime figure counts it per thread; so they are noted where
 * they are made. To be imported before anything that makes one.
 *
 * @module
 */

const memories = new Set<WebAssembly.Memory>();

/** Bytes, all memories together. */
export function wasmMemory(): number {
  return [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

// Some modules make their memory themselves and export it, some are handed one.
const { Memory, Instance, instantiate } = WebAssembly;

function note({ exports }: WebAssembly.Instance): void {
  for (const value of Object.values(exports)) {
    if (value instanceof Memory) memories.add(value);
  }
}

WebAssembly.Memory = new Proxy(Memory, {
  construct(constructor, [descriptor]: [WebAssembly.MemoryDescriptor]) {
    const memory = new constructor(descriptor);
    memories.add(memory);
    return memory;
  },
});

WebAssembly.Instance = new Proxy(Instance, {
  construct(constructor, args: ConstructorParameters<typeof WebAssembly.Instance>) {
    const instance = new constructor(...args);
    note(instance);
    return instance;
  },
});

WebAssembly.instantiate = new Proxy(instantiate, {
  async apply(call, self, args) {
    const made = await Reflect.apply(call, self, args);
    note(made.instance ?? made);
    return made;
  },
});
