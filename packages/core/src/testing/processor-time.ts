interface NodeProcess {
  threadCpuUsage(): { readonly user: number; readonly system: number }
}

/** Processor time that this thread has used, in milliseconds; in Node only. It stands still while other processes have the processor. */
export function processorTime(): number {
  const { process } = globalThis as unknown as { readonly process: NodeProcess }
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
