type Soon = (task: () => void) => void

const host = globalThis as { setImmediate?: Soon; setTimeout: Soon }
const macrotask: Soon = host.setImmediate ?? host.setTimeout

/** Resolves when every promise job that can run has run: the engine empties its queue of them before it takes the next macrotask. */
export const settle = (): Promise<void> => new Promise((resolve) => macrotask(resolve))
