import type { Report } from '../ports.ts'

/** Reports as the platform reports an uncaught error of a page, or on the console where it has no way to; no process ends by it. */
export const systemReport: Report = (error) => {
  const { reportError } = globalThis as { readonly reportError?: (error: unknown) => void }
  if (reportError) reportError(error)
  else console.error(error)
}
