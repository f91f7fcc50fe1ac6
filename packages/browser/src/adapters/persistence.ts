/**
 * Asks the browser not to evict the storage of this origin when the disk gets full. Some browsers ask the user for permission. Resolves with true if
 * the browser agrees.
 */
export async function requestPersistence(): Promise<boolean> {
  // Typed as always there, but absent on pages that came over plain http.
  const { storage } = navigator as { readonly storage?: StorageManager }
  if (!storage) return false
  try {
    return (await storage.persisted()) || (await storage.persist())
  } catch {
    // Ignored: the answer is that it was not granted.
    return false
  }
}
