const host = globalThis as { process?: { env: Record<string, string | undefined> } }

/**
 * How many rounds a long test with random inputs takes: `few`, with `PROP_TIMES` as many times as that, and with `PROP_CASES` exactly as many as it
 * says.
 */
export const rounds = (few: number): number => {
  const { PROP_CASES, PROP_TIMES } = host.process?.env ?? {}
  return PROP_CASES === undefined ? few * Number(PROP_TIMES ?? 1) : Number(PROP_CASES)
}
