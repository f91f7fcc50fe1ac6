import type { Report } from '../ports.ts'

/**
 * Reports an error with `reportError` of the platform, like an uncaught error of a page, or prints it on the console. This function never ends the
 * process.
 */
export const systemReport: Report = (error) => {
  const { reportError } = globalThis as { readonly reportError?: (error: unknown) => void }
  if (reportError) reportError(error)
  else console.error(error)
}
