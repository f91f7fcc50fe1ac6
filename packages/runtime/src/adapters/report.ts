import type { Report } from '../ports.ts'

/** Reports an error as the platform reports uncaught errors of a page, or on the console if it cannot. This function never ends the process. */
export const systemReport: Report = (error) => {
  const { reportError } = globalThis as { readonly reportError?: (error: unknown) => void }
  if (reportError) reportError(error)
  else console.error(error)
}
