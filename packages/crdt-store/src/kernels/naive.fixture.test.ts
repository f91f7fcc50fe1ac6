import {
  compareTexts,
  decodeCanonical,
  toHex,
  type Body,
  type Fields,
  type Json,
  type Origin,
  type SessionId,
  type Shape,
  type Value,
} from '@peerplane/core'

/*
 * The state of an entity by definition: computed from the set of all bodies, without any order, and with no thought for cost.
 */

/** One op, or an op inside others, with the commit that it is part of. */
interface Op {
  readonly value: Value
  readonly origin: Origin
  /** Session, seq and prefix of its commit, as one text. */
  readonly commit: string
  /** Its place in the commit. */
  readonly index: number
  /** The commits that its body lists, by number. */
  readonly listed: readonly string[]
}
type List = readonly Value[]

/** The mirror of an entity to which these bodies belong; none of them is void. */
export function naive(shape: Shape, bodies: readonly Body[]): Json {
  const ops = bodies.flatMap(({ origin, prefix, bytes }) => {
    const [commits, values] = decodeCanonical(bytes) as [List, List]
    const commit = commitOf(origin.session, origin.seq, prefix)
    const listed = listOf(commits)
    return values.map((value, index): Op => ({ value, origin, commit, index, listed }))
  })
  return states[shape.kind]!(shape as never, ops)
}

const commitOf = (session: string, seq: number, prefix: string): string =>
  `${session} ${seq} ${prefix}`

function listOf(commits: List): string[] {
  const sessions: string[] = []
  const listed: string[] = []
  for (let i = 0; i < commits.length; i += 3) {
    const [first, seq, prefix] = commits.slice(i, i + 3) as [Value, number, Uint8Array]
    if (first instanceof Uint8Array) sessions.push(toHex(first))
    const session = first instanceof Uint8Array ? sessions.at(-1)! : sessions[first as number]!
    listed.push(commitOf(session, seq, toHex(prefix)))
  }
  return listed
}

/** Whether `later` supersedes `op` by whose it is. */
function covers(later: Op, op: Op): boolean {
  const { session, seq, lineage } = later.origin
  if (session !== op.origin.session) {
    return lineage?.covers(op.origin.session, op.origin.seq) ?? false
  }
  return seq > op.origin.seq || (seq === op.origin.seq && later.index > op.index)
}

const names = (op: Op, refs: Value | undefined): string[] =>
  ((refs ?? []) as number[]).map((ref) => op.listed[ref]!)

const byTime = (a: Op, b: Op): number =>
  a.origin.time.ms - b.origin.time.ms ||
  a.origin.time.counter - b.origin.time.counter ||
  compareTexts(a.origin.session, b.origin.session) ||
  a.origin.seq - b.origin.seq ||
  a.index - b.index

const depth = ({ origin }: Op): number => origin.lineage?.depth ?? 1

const inner = (op: Op, value: Value): Op => ({ ...op, value })

const states: {
  readonly [kind: string]: (shape: never, ops: readonly Op[]) => Json
} = {
  counter: (_, ops) => ops.reduce((sum, { value }) => sum + (value as number), 0),

  register({ initial }: { readonly initial: Json }, ops) {
    const named = new Set(ops.flatMap((op) => names(op, (op.value as List)[2])))
    const devices = [...new Set(ops.map(({ origin }) => origin.device))]
    const latest = devices.map((device) =>
      ops
        .filter(({ origin }) => origin.device === device)
        .toSorted((a, b) => depth(a) - depth(b) || byTime(a, b))
        .at(-1)!,
    )
    const shown = latest.filter(({ commit }) => !named.has(commit)).sort(byTime)
    return shown.length > 0 ? ((shown.at(-1)!.value as List)[1] as Json) : initial
  },

  set: (_, ops) =>
    entriesOf(ops, [1], [2])
      .filter(({ isPresent }) => isPresent)
      .map(({ key }) => key)
      .sort(compareElements),

  map({ value }: { readonly value: Shape }, ops) {
    const entries = entriesOf(ops, [3, 5], [4]).filter(({ isPresent }) => isPresent)
    return Object.fromEntries(
      entries.map(({ key, ops: own }) => {
        const changes = own.filter((op) => (op.value as List)[0] === 3)
        const below = changes.map((op) => inner(op, (op.value as List)[2]!))
        return [key, states[value.kind]!(value as never, below)]
      }),
    )
  },

  record: ({ fields }: { readonly fields: Fields }, ops) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => {
        const own = ops.filter((op) => (op.value as List)[0] === name)
        const below = own.map((op) => inner(op, (op.value as List)[1]!))
        return [name, states[field.kind]!(field as never, below)]
      }),
    ),
}

const compareElements = (a: string | number, b: string | number): number => {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1
  return typeof b === 'number' ? 1 : compareTexts(a, b)
}

interface NaiveEntry {
  readonly key: string | number
  readonly isPresent: boolean
  /** The ops of its generation. */
  readonly ops: readonly Op[]
}

/** The entries of a map or set: by key, the ops of the highest generation, and whether they keep the entry. */
function entriesOf(
  ops: readonly Op[],
  changes: readonly number[],
  removals: readonly number[],
): NaiveEntry[] {
  const mark = (op: Op): number => (op.value as List)[0] as number
  const generationOf = (op: Op): number => {
    const list = op.value as List
    const place = mark(op) === 1 || mark(op) === 5 ? 2 : 3
    return (list[place] as number | undefined) ?? 0
  }
  const keys = [...new Set(ops.map((op) => (op.value as List)[1] as string | number))]
  return keys.map((key) => {
    const all = ops.filter((op) => (op.value as List)[1] === key)
    const generation = Math.max(...all.map(generationOf))
    const own = all.filter((op) => generationOf(op) === generation)
    const removed = own.filter((op) => removals.includes(mark(op)))
    const isClosed = removed.some((op) => (op.value as List)[2] === null)
    const named = new Set(removed.flatMap((op) => names(op, (op.value as List)[2])))
    const touches = own.filter((op) => changes.includes(mark(op)) && !removes(op.value))
    const alive = touches.filter(
      (touch) =>
        !named.has(touch.commit) && ![...touches, ...removed].some((later) => covers(later, touch)),
    )
    return { key, isPresent: !isClosed && alive.length > 0, ops: own }
  })
}

function removes(op: Value): boolean {
  if (!Array.isArray(op)) return false
  const [first, second, third] = op as List
  if (typeof first === 'string') return removes(second!)
  if (first === 3) return removes(third!)
  return first === 2 || first === 4
}

/** A device's sessions in a row, each of which comes after the one before. */
export function chained(
  sessions: readonly SessionId[],
  reached: (session: SessionId) => number,
): Origin['lineage'] {
  return {
    depth: sessions.length + 1,
    covers: (session, seq) => sessions.includes(session) && seq <= reached(session),
  }
}
