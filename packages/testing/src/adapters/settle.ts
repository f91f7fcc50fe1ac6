type Soon = (task: () => void) => void

const host = globalThis as { process?: { nextTick?: Soon }; setTimeout: Soon }
/** Node empties its queue of promise jobs before the next tick, as before a macrotask, without going through the event loop for it. */
const afterJobs: Soon = host.process?.nextTick ?? host.setTimeout

/** Resolves when every promise job that can run has run. */
export const settle = (): Promise<void> => new Promise((resolve) => afterJobs(resolve))
