/** The local storage of this origin; `undefined` in a worker, and where the browser allows none. */
export function localValues(): Storage | undefined {
  try {
    return globalThis.localStorage
  } catch {
    // Ignored: a page without a local storage works, but for its last task.
    return undefined
  }
}
