import { decodeCanonical, limits, type SessionId, type Value } from '@peerplane/core'

import { readCommits, type NamedCommit } from './commits.ts'
import { readGeneration } from './entries.ts'
import { isEntityRemoval } from './entity-ops.ts'
import { isRemoval } from './op.ts'
import { items, Void } from './void.ts'

/*
 *   native           [commits of other sessions, ops, generation?]
 *   removal          [commits of other sessions, [[6, names or null]], generation?]    of an entity of any kind
 *   document         [bytes, …, generation?]
 *   single writer    [1, x, generation?]   [2, x, generation?]   [3, x, x, x, x, x, generation?]
 */

/** What a body says of its entity, whatever kind of state the entity is declared as. */
export interface BodyForm {
  readonly kind: 'native' | 'removal' | 'document' | 'writer'
  /** The items of the body, without the generation. */
  readonly fields: readonly Value[]
  readonly generation: number
}

/** Whether a body keeps the entity. */
export const touches = ({ kind, fields }: BodyForm): boolean => {
  if (kind !== 'native') return kind !== 'removal'
  const ops = items(fields[1])
  return ops.length === 0 || !ops.every(isRemoval)
}

/** Reads the form of a body. What its kind of state reads is not checked. Throws `Void`. */
export function readForm(bytes: Uint8Array): BodyForm {
  const all = items(decode(bytes))
  const kind = kindOf(all)
  const length = kind === 'document' ? documentItems(all) : (WRITER_ITEMS.get(all[0]!) ?? 2)
  const fields = all.length > length ? all.slice(0, length) : all
  const generation = readGeneration(all[length])
  if (kind !== 'native') return { kind, fields, generation }
  const ops = items(fields[1])
  if (ops.length > limits.opsPerSection) throw new Void('too many ops')
  return { kind: ops.some(isEntityRemoval) ? 'removal' : 'native', fields, generation }
}

/** The commits that a native body or a removal lists. Throws `Void`. */
export function readNamed(list: Value | undefined, session: SessionId): NamedCommit[] {
  const commits = readCommits(list)
  if (commits.some((each) => each.session === session)) {
    throw new Void('a body names its own session')
  }
  return commits
}

/** How many items a body of a state with a single writer has, by its first one. */
const WRITER_ITEMS: ReadonlyMap<Value, number> = new Map<Value, number>([
  [1, 2],
  [2, 2],
  [3, 6],
])

function kindOf([first, ...rest]: readonly Value[]): BodyForm['kind'] {
  if (first instanceof Uint8Array) return 'document'
  const length = Array.isArray(first) ? 2 : WRITER_ITEMS.get(first!)
  if (length === undefined || rest.length < length - 1 || rest.length > length) {
    throw new Void('a body has a form that no kind of state reads')
  }
  return Array.isArray(first) ? 'native' : 'writer'
}

/** No item of a change of a document is a number. */
const documentItems = (all: readonly Value[]): number =>
  typeof all.at(-1) === 'number' ? all.length - 1 : all.length

function decode(body: Uint8Array): Value {
  try {
    return decodeCanonical(body)
  } catch {
    // Ignored: whatever it was; also bytes nested so deeply that the stack overflows are beyond every limit.
    throw new Void('the body is not canonical')
  }
}
