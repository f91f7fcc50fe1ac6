const host = globalThis as { process?: { env: Record<string, string | undefined> } }

/** How many rounds a long test with random inputs takes: `few`, and in a campaign `PROP_TIMES` as many. */
export const rounds = (few: number): number => few * Number(host.process?.env['PROP_TIMES'] ?? 1)
