import type { Report } from '../ports.ts'

/** Reports an error the way the platform reports uncaught errors of a page, or else on the console. It never ends the process. */
export const systemReport: Report = (error) => {
  const { reportError } = globalThis as { readonly reportError?: (error: unknown) => void }
  if (reportError) reportError(error)
  else console.error(error)
}
