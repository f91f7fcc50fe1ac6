import type { Report } from '../ports.ts'

/**
 * Reports an error with the global function `reportError`, like an uncaught error of a page. If the platform has no `reportError`, prints the error
 * on the console. `systemReport` never ends the process.
 */
export const systemReport: Report = (error) => {
  const { reportError } = globalThis as { readonly reportError?: (error: unknown) => void }
  if (reportError) reportError(error)
  else console.error(error)
}
