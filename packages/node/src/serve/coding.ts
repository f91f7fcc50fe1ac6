/** How the body of an answer is coded; `identity` is the file as it is. */
export type Coding = 'br' | 'gzip' | 'identity'

/** What this server prefers among codings that a client likes equally. */
const PREFERENCE: readonly Coding[] = ['br', 'gzip', 'identity']

/**
 * The codings that an `Accept-Encoding` header accepts, the best first (RFC 9110, 12.5.3). A coding of weight 0 is refused, `*` stands for all
 * that are not named, `identity` is the last choice unless it is named. Without a header only `identity` is accepted; an element that cannot
 * be read counts for nothing.
 */
export function acceptedCodings(header: string | undefined): readonly Coding[] {
  const named = new Map((header ?? '').split(',').flatMap(readElement))
  const others = named.get('*')
  const weight = (coding: Coding): number =>
    named.get(coding) ?? (coding === 'identity' && others !== 0 ? LEAST : (others ?? 0))
  return PREFERENCE.filter((coding) => weight(coding) > 0).toSorted((a, b) => weight(b) - weight(a))
}

/** Below every weight that a client can name. */
const LEAST = 0.0001

function readElement(element: string): [name: string, weight: number][] {
  const [, name, weight = '1'] =
    /^\s*([\w!#$%&'*+.^`|~-]+)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i.exec(element) ??
    []
  if (name === undefined) return []
  const lower = name.toLowerCase()
  return [[lower === 'x-gzip' ? 'gzip' : lower, Number(weight)]]
}

/** Whether an `If-None-Match` header names `tag`, as `GET` and `HEAD` compare (RFC 9110, 13.1.2). */
export function namesTag(header: string | undefined, tag: string): boolean {
  const tags = (header ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''))
  return tags.includes('*') || tags.includes(tag)
}
