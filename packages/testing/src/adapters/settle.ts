type Soon = (task: () => void) => void

const host = globalThis as {
  process?: { nextTick?: Soon }
  setImmediate?: Soon
  setTimeout: Soon
}
const macrotask: Soon = host.setImmediate ?? host.setTimeout
/** Node empties its queue of promise jobs before the next tick, as before a macrotask, without going through the event loop for it. */
const afterJobs: Soon = host.process?.nextTick ?? macrotask

/** Resolves when every promise job that can run has run. */
export const settle = (): Promise<void> => new Promise((resolve) => afterJobs(resolve))

/** The same, and gives the rest of the host its turn: timeouts, and messages that ask for an end. */
export const breathe = (): Promise<void> => new Promise((resolve) => macrotask(resolve))
