/** Ports of 127.0.0.1 that nobody listens on, all different. */
export function freePorts(count: number): string[] {
  using listeners = new DisposableStack();
  return Array.from({ length: count }, () => {
    const listener = listeners.use(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    return `${listener.addr.port}`;
  });
}

/** `host:port` where nobody listens. */
export function nobody(): string {
  return `127.0.0.1:${freePorts(1)}`;
}
