/** Names of the databases of this origin that begin with `prefix`. */
export async function databasesOf(prefix: string): Promise<readonly string[]> {
  const databases = await indexedDB.databases()
  return databases.flatMap(({ name }) => (name?.startsWith(prefix) ? [name] : [])).toSorted()
}
