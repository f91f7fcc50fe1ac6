import { requireBrowser } from './adapters/requirements.ts'
import { indexedDbError } from './storage/indexeddb-errors.ts'

/**
 * What `action` gives; `what` begins the message of a failure. A browser that keeps storage, locks or channels from a page fails wherever they
 * are used first, so whatever it throws is made an error of ours here. Rejects with `unsupported` if the page lacks something, or may not use it.
 */
export async function inBrowser<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    requireBrowser()
    return await action()
  } catch (error) {
    throw error instanceof DOMException ? indexedDbError(error, what) : error
  }
}
