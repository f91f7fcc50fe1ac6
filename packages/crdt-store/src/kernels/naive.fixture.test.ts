import {
  compareTexts,
  decodeCanonical,
  fromHex,
  toBase64Url,
  encodeCanonical,
  equalData,
  toHex,
  type Body,
  type Fields,
  type FlagShape,
  type Json,
  type Origin,
  type RegisterClock,
  type RegisterShape,
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
    const [commits, values, generation = 0] = decodeCanonical(bytes) as [List, List, number?]
    const commit = commitOf(origin.session, origin.seq, prefix)
    const listed = listOf(commits)
    const written = values.length === 0 ? [[5, '', generation]] : values.map(inEntity(generation))
    return written.map((value, index): Op => ({ value, origin, commit, index, listed }))
  })
  // The entity is the only entry of a map.
  const entities = states['map']!({ value: shape } as never, ops) as { readonly ['']?: Json }
  return Object.hasOwn(entities, '') ? entities['']! : states[shape.kind]!(shape as never, [])
}

const inEntity =
  (generation: number) =>
  (op: Value): Value => {
    const isRemoval = Array.isArray(op) && op[0] === 6
    return isRemoval ? [4, '', op[1] as Value, generation] : [3, '', op, generation]
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

/** Order of the ops of one device. */
const byStart = (a: Op, b: Op): number =>
  (a.origin.lineage?.start ?? 0) - (b.origin.lineage?.start ?? 0) ||
  compareTexts(a.origin.session, b.origin.session) ||
  a.origin.seq - b.origin.seq ||
  a.index - b.index

const inner = (op: Op, value: Value): Op => ({ ...op, value })

const states: {
  readonly [kind: string]: (shape: never, ops: readonly Op[]) => Json
} = {
  counter: (_, ops) => ops.reduce((sum, { value }) => sum + (value as number), 0),

  'grow-only-counter': (_, ops) => {
    let sum = 0n
    for (const { value } of ops) sum += BigInt((value as List)[1] as number)
    return sum < Number.MAX_SAFE_INTEGER ? Number(sum) : Number.MAX_SAFE_INTEGER
  },

  register({ initial, clock = 'default' }: RegisterShape<Json, RegisterClock>, ops) {
    const clockOf = ({ value }: Op): number =>
      clock.startsWith('custom') ? ((value as List)[3] as number) : 0
    const sorted = latestOf(ops, 2).sort((a, b) => clockOf(a) - clockOf(b) || byTime(a, b))
    const shown = clock === 'reverse' ? sorted[0] : sorted.at(-1)
    return shown ? jsonOf((shown.value as List)[1]!) : initial
  },

  'multi-value-register'({ initial }: { readonly initial: Json }, ops) {
    const values = latestOf(ops, 2)
      .toReversed()
      .map(({ value }) => jsonOf((value as List)[1]!))
    const distinct = values.filter(
      (value, i) => values.findIndex((each) => equalData(each, value)) === i,
    )
    return distinct.length > 0 ? distinct : [initial]
  },

  flag({ wins = 'enable' }: FlagShape, ops) {
    const isOn = ({ value }: Op): boolean => (value as List)[0] === (wins === 'enable' ? 20 : 22)
    const switched = latestOf(ops, 1)
    return wins === 'enable' ? switched.some(isOn) : switched.length > 0 && switched.every(isOn)
  },

  vote: (_, ops) =>
    Object.fromEntries(
      latestOf(ops, 2)
        .map(({ origin, value }) => [origin.device, (value as List)[1] as boolean] as const)
        .sort(([a], [b]) => compareTexts(a, b)),
    ),

  'grow-only-set': (_, ops) => {
    const elements = new Map(ops.map(({ value }) => [hex((value as List)[1]!), (value as List)[1]]))
    return [...elements.values()]
      .map((each) => each!)
      .sort(compareElements)
      .map(jsonOf)
  },

  set: (_, ops) =>
    entriesOf(ops, [1], [2])
      .filter(({ isPresent }) => isPresent)
      .map(({ key }) => key)
      .sort(compareElements)
      .map(jsonOf),

  map({ value }: { readonly value: Shape }, ops) {
    const entries = entriesOf(ops, [3, 5], [4]).filter(({ isPresent }) => isPresent)
    return Object.fromEntries(
      entries.map(({ key, ops: own }) => {
        const changes = own.filter((op) => (op.value as List)[0] === 3)
        const below = changes.map((op) => inner(op, (op.value as List)[2]!))
        return [key as string, states[value.kind]!(value as never, below)]
      }),
    )
  },

  list({ item }: { readonly item: Shape }, ops) {
    const made = ops.filter((op) => mark(op) === 10 || mark(op) === 12)
    const spots = made.map((op) => {
      const [side, ref, index] = (op.value as List).slice(mark(op) === 10 ? 1 : 4)
      const parent = (ref !== undefined && named(made, op, ref, index!)) || 'root'
      // Nothing is before the root.
      return { op, parent, side: parent === 'root' ? 1 : side }
    })
    const walk = (at: string, wanted: number): Op[] =>
      spots
        .filter(({ parent, side }) => parent === at && side === wanted)
        .map(({ op }) => op)
        .sort(byId)
        .flatMap((op) => [...walk(idOf(op), 0), op, ...walk(idOf(op), 1)])
    const order = walk('root', 1)
    const inserts = made.filter((op) => mark(op) === 10)
    const elements = inserts.map((insert) => {
      const own = ops.filter((op) => {
        const at = mark(op) === 10 ? undefined : (op.value as List).slice(2, 4)
        return at ? named(inserts, op, at[0]!, at[1]!) === idOf(insert) : op === insert
      })
      const removed = own.filter((op) => mark(op) === 13)
      const moves = own.filter((op) => mark(op) === 12)
      const changes = own.filter((op) => mark(op) === 11)
      const places = latestOf(moves, 1).filter((op) => order.includes(op))
      return {
        insert,
        current: places.at(-1) ?? insert,
        isPresent: keeps(
          [...own].filter((op) => !removes(op.value)),
          removed,
          1,
        ),
        changes: changes.map((op) => inner(op, (op.value as List)[1]!)),
      }
    })
    const unplaced = made.filter((op) => !order.includes(op)).sort(byId)
    return [...order, ...unplaced].flatMap((op) =>
      elements
        .filter(({ current, isPresent }) => current === op && isPresent)
        .map(({ insert: { origin, index }, changes }): Json => {
          const key = `${toBase64Url(fromHex(origin.session))}${origin.seq}.${index}`
          return { key, value: states[item.kind]!(item as never, changes) }
        }),
    )
  },

  text(_, ops) {
    const made = charactersOf(ops)
    const walk = (at: Character | undefined, wanted: number): Character[] =>
      made
        .filter(({ parent, side }) => parent === at && side === wanted)
        .flatMap((each) => [...walk(each, 0), each, ...walk(each, 1)])
    const placed = walk(undefined, 1)
    const gone = new Set(ops.filter((op) => mark(op) === 31).flatMap((op) => deletedBy(op, made)))
    return [...placed, ...made.filter((each) => !placed.includes(each))]
      .filter((each) => !gone.has(each))
      .map(({ unit }) => unit)
      .join('')
      .toWellFormed()
  },

  tree({ node }: { readonly node: Shape }, ops) {
    const inserts = ops.filter((op) => mark(op) === 15)
    const made = inserts.map((insert) => nodeOf(insert, inserts, ops))
    const places = placesOf(made)
    const nodes = made.map((each) => ({ ...each, isPresent: isKept(each, places, made) }))
    return childrenOf(undefined, places, nodes, (own) => states[node.kind]!(node as never, own))
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

/** The latest op of each device that no other one names, in the order of time. `place` is where ops have their names. */
function latestOf(ops: readonly Op[], place: number): Op[] {
  const named = new Set(ops.flatMap((op) => names(op, (op.value as List)[place])))
  const devices = [...new Set(ops.map(({ origin }) => origin.device))]
  const latest = devices.map((device) =>
    ops
      .filter(({ origin }) => origin.device === device)
      .toSorted(byStart)
      .at(-1)!,
  )
  return latest.filter(({ commit }) => !named.has(commit)).sort(byTime)
}

const mark = (op: Op): number => (op.value as List)[0] as number

const idOf = ({ commit, index }: Op): string => `${commit} ${index}`

const byId = (a: Op, b: Op): number =>
  compareTexts(a.origin.session, b.origin.session) ||
  a.origin.seq - b.origin.seq ||
  a.index - b.index

/** The id that an op names, whether it exists or not. There is no id for what its own session has not made. */
function named(
  made: readonly Op[],
  { origin, listed }: Op,
  ref: Value,
  index: Value,
): string | undefined {
  if ((ref as number) >= 0) return `${listed[ref as number]} ${index as number}`
  const { session } = origin
  const seq = origin.seq + 1 + (ref as number)
  const found = made.find(
    (op) => op.origin.session === session && op.origin.seq === seq && op.index === index,
  )
  return found && idOf(found)
}

/** Whether touches keep an entry, given its removals, which have their names at `place`. */
function keeps(touches: readonly Op[], removed: readonly Op[], place: number): boolean {
  if (removed.some((op) => (op.value as List)[place] === null)) return false
  const gone = new Set(removed.flatMap((op) => names(op, (op.value as List)[place])))
  return touches.some(
    (touch) =>
      !gone.has(touch.commit) && ![...touches, ...removed].some((later) => covers(later, touch)),
  )
}

/** A value as JSON: byte strings have a form of their own. */
function jsonOf(value: Value): Json {
  if (value instanceof Uint8Array) return { $bytes: toBase64Url(value) }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(jsonOf)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, jsonOf(part)]))
}

const hex = (value: Value): string => toHex(encodeCanonical(value))

/** Numbers, then texts, then other values by their bytes. */
function compareElements(a: Value, b: Value): number {
  const rank = (value: Value): number =>
    typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : 2
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (typeof a === 'number') return a - (b as number)
  return typeof a === 'string' ? compareTexts(a, b as string) : compareTexts(hex(a), hex(b))
}

interface NaiveEntry {
  readonly key: Value
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
  const generationOf = (op: Op): number => {
    const list = op.value as List
    const place = mark(op) === 1 || mark(op) === 5 ? 2 : 3
    return (list[place] as number | undefined) ?? 0
  }
  const keyOf = (op: Op): Value => (op.value as List)[1]!
  const keys = new Map(ops.map((op) => [hex(keyOf(op)), keyOf(op)]))
  return [...keys.values()].map((key) => {
    const all = ops.filter((op) => hex(keyOf(op)) === hex(key))
    const generation = Math.max(...all.map(generationOf))
    const own = all.filter((op) => generationOf(op) === generation)
    const removed = own.filter((op) => removals.includes(mark(op)))
    const touches = own.filter((op) => changes.includes(mark(op)) && !removes(op.value))
    return { key, isPresent: keeps(touches, removed, 2), ops: own }
  })
}

function removes(op: Value): boolean {
  if (!Array.isArray(op)) return false
  const [first, second, third] = op as List
  if (typeof first === 'string') return removes(second!)
  if (first === 3) return removes(third!)
  if (first === 11) return removes(second!)
  if (first === 17) return removes(third!)
  return first === 2 || first === 4 || first === 13 || first === 18 || first === 31
}

/** A device's sessions in a row, each of which comes after the one before. */
export function chained(
  sessions: readonly SessionId[],
  reached: (session: SessionId) => number,
): Origin['lineage'] {
  return {
    hasParents: sessions.length > 0,
    start: sessions.length,
    covers: (session, seq) => sessions.includes(session) && seq <= reached(session),
  }
}

interface Character {
  readonly unit: string
  readonly op: Op
  /** How many characters its commit has inserted before it. */
  readonly offset: number
  parent: Character | undefined | 'none'
  side: number
}

/** All characters, in the order in which those of each session were made. */
function charactersOf(ops: readonly Op[]): Character[] {
  const made: Character[] = []
  for (const op of ops.filter((each) => mark(each) === 30).toSorted(byId)) {
    const before = made.filter(({ op: { commit } }) => commit === op.commit).length
    for (const [i, unit] of ((op.value as List)[1] as string).split('').entries()) {
      made.push({ unit, op, offset: before + i, parent: i > 0 ? made.at(-1) : undefined, side: 1 })
    }
  }
  for (const each of made) {
    const [, , side = 1, ref, offset] = each.op.value as List
    if (each.parent) continue
    const isOwn = (ref as number) < 0
    const named = ref === undefined ? undefined : characterAt(made, each.op, ref, offset!)
    each.parent = named ?? (ref === undefined || isOwn ? undefined : 'none')
    // Nothing is before the root.
    each.side = each.parent === undefined ? 1 : (side as number)
  }
  return made
}

function characterAt(
  made: readonly Character[],
  { listed, origin, index }: Op,
  ref: Value,
  offset: Value,
): Character | undefined {
  return made.find(({ op, offset: at }) => {
    if (at !== offset) return false
    if ((ref as number) >= 0) return op.commit === listed[ref as number]
    const isOwn = op.origin.session === origin.session
    const seq = origin.seq + 1 + (ref as number)
    return isOwn && op.origin.seq === seq && (seq < origin.seq || op.index < index)
  })
}

function deletedBy(op: Op, made: readonly Character[]): readonly Character[] {
  const list = (op.value as List).slice(1)
  return Array.from({ length: list.length / 4 }, (_, i): readonly Character[] => {
    const [ref, offset, lastRef, lastOffset] = list.slice(4 * i, 4 * i + 4)
    const first = characterAt(made, op, ref!, offset!)
    const last = characterAt(made, op, lastRef!, lastOffset!)
    if (!first || !last || first.op.origin.session !== last.op.origin.session) return []
    return made.slice(made.indexOf(first), made.indexOf(last) + 1)
  }).flat()
}

interface NaiveNode {
  readonly id: string
  readonly insert: Op
  readonly isClosed: boolean
  readonly isPresent: boolean
  readonly isMoved: boolean
  /** Where it may be, the most wanted place first. */
  readonly moves: readonly NaiveMove[]
  readonly changes: readonly Op[]
}
interface NaiveMove {
  readonly op: Op
  /** The id of the parent; `null` for the top level, and `undefined` for a node that its session has not made. */
  readonly parent: string | null | undefined
  readonly rank: readonly number[]
}

function nodeOf(insert: Op, inserts: readonly Op[], ops: readonly Op[]): NaiveNode {
  const id = idOf(insert)
  const nodeIn = (op: Op, name: Value): string | null | undefined =>
    name === null ? null : named(inserts, op, (name as List)[0]!, (name as List)[1]!)
  const own = ops.filter((op) => mark(op) > 15 && nodeIn(op, (op.value as List)[1]!) === id)
  const removed = own.filter((op) => mark(op) === 18)
  const touches = [insert, ...own].filter((op) => !removes(op.value))
  const moveOf = (op: Op): NaiveMove => {
    const [parent, numbers] = (op.value as List).slice(mark(op) - 14) as [Value, number[]]
    const run = Number.parseInt(op.origin.session.slice(0, 8), 16)
    const number = op.origin.seq * 2 ** 14 + op.index
    const rank = [...numbers.slice(0, -1), run, numbers.at(-1)!, number]
    return { op, parent: nodeIn(op, parent), rank }
  }
  const moved = own.filter((op) => mark(op) === 16)
  const live = latestOf(moved, 4)
  const past = moved.filter((op) => !live.includes(op)).toSorted(byTime)
  return {
    id,
    insert,
    isClosed: removed.some((op) => (op.value as List)[2] === null),
    isPresent: keeps(touches, removed, 2),
    isMoved: moved.length > 0,
    moves: [...live.toReversed(), ...past.slice(-1), insert].map(moveOf),
    changes: own.filter((op) => mark(op) === 17).map((op) => inner(op, (op.value as List)[2]!)),
  }
}

type Places = ReadonlyMap<string, NaiveMove>

function placesOf(nodes: readonly NaiveNode[]): Places {
  const find = (id: string | null | undefined): NaiveNode | undefined =>
    nodes.find((node) => node.id === id)
  const toTop = (move: NaiveMove): NaiveMove => ({ ...move, parent: null })
  const movesOf = ({ moves, isClosed }: NaiveNode): NaiveMove[] => {
    const known = moves.filter(({ parent }) => parent === null || find(parent))
    return isClosed || known.length === 0 ? [toTop(moves[0]!)] : known
  }
  const above = (node: NaiveNode): NaiveNode[] => {
    const path: NaiveNode[] = []
    for (;;) {
      const next = find(movesOf(path.at(-1) ?? node)[0]!.parent)
      if (!next || path.includes(next)) return path
      path.push(next)
    }
  }
  const isInCycle = (node: NaiveNode): boolean => above(node).includes(node)
  const isCutOff = (node: NaiveNode): boolean =>
    [node, ...above(node)].some((each) => isInCycle(each) || each.isClosed)
  const isLater = (a: NaiveNode, b: NaiveNode): boolean => {
    const [one, other] = [movesOf(a)[0]!.op, movesOf(b)[0]!.op]
    return (one.commit === other.commit ? byId(a.insert, b.insert) : byTime(one, other)) > 0
  }
  return new Map(
    nodes.map((node) => {
      const [wanted, ...others] = movesOf(node)
      const isLast =
        isInCycle(node) && above(node).every((each) => each === node || isLater(node, each))
      const isFree = ({ parent }: NaiveMove): boolean => parent === null || !isCutOff(find(parent)!)
      return [node.id, isLast ? (others.find(isFree) ?? toTop(wanted!)) : wanted!]
    }),
  )
}

/** Whether a touch keeps a node, or a node below it that was moved. */
function isKept(node: NaiveNode, places: Places, nodes: readonly NaiveNode[]): boolean {
  const isBelow = ({ id }: NaiveNode): boolean => {
    const { parent } = places.get(id)!
    const next = nodes.find((each) => each.id === parent)
    return next !== undefined && (next === node || isBelow(next))
  }
  const isKeptBelow = nodes.some((each) => each.isPresent && each.isMoved && isBelow(each))
  return node.isPresent || (isKeptBelow && !node.isClosed)
}

function childrenOf(
  parent: string | undefined,
  places: Places,
  nodes: readonly NaiveNode[],
  valueOf: (changes: readonly Op[]) => Json,
): Json {
  return nodes
    .filter(({ id, isPresent }) => isPresent && (places.get(id)!.parent ?? undefined) === parent)
    .toSorted((a, b) => {
      const [one, other] = [places.get(a.id)!.rank, places.get(b.id)!.rank]
      const at = one.findIndex((number, i) => number !== other[i])
      if (at < 0) return one.length - other.length || byId(a.insert, b.insert)
      return other[at] === undefined ? 1 : one[at]! - other[at]
    })
    .map(({ id, insert: { origin, index }, changes }) => ({
      key: `${toBase64Url(fromHex(origin.session))}${origin.seq}.${index}`,
      value: valueOf(changes),
      children: childrenOf(id, places, nodes, valueOf),
    }))
}
