/**
 * Asks the browser to keep the storage of this origin even if the disk gets full. Some browsers ask the user for permission to keep the storage.
 * Resolves with true if the browser agrees to keep the storage.
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
