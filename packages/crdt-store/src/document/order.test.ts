import * as A from '@automerge/automerge'
import {
  document,
  type Body,
  type DocumentHandle,
  type EntityState,
  type Json,
  type StateModel,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import { beforeAll, expect, test } from 'vitest'

import { automerge } from './automerge.ts'
import { encodeBody } from './body.ts'
import { readChanges } from './change-chunk.ts'
import { allOf, changesOf, DefaultMaker, type Tree } from './defaults.ts'
import { chunkOf, generator, mutate, originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'
import { decodeSnapshot } from './snapshot.ts'

interface Content {
  readonly [key: string]: Json
  text: string
  other: string
  list: Json[]
  map: { [key: string]: Json }
}
const shape = document<Content>({ text: 'abc', other: 'd', list: [1, { a: 1 }], map: { k: 1 } })

/** What hostile authors claim to build on: what all declare, nothing, and something else at the same places and at others. */
const trees: readonly (Tree | undefined)[] = [
  shape.initial,
  undefined,
  { text: 'another', list: [2], map: { k: 2, l: '' } },
  { more: 'x', map: {} },
]

let model: StateModel
let initialOps: readonly string[]
beforeAll(async () => {
  model = await innerModel(shape)
  const maker = new DefaultMaker(await automerge())
  initialOps = trees
    .flatMap((tree) => allOf(maker.of(tree ?? {})).flatMap(changesOf))
    .map(({ actors, startOp }) => `${startOp}@${actors[0]}`)
})

/** A body, and those before it that the log delivers first: by place in the list of all. */
interface Sent {
  readonly body: Body
  readonly author: string
  readonly after: readonly number[]
}

const HONEST = ['alice', 'bob', 'carol']
const HOSTILE = Array.from({ length: 8 }, (_, i) => `mallory ${i}`)

/**
 * What hostile authors sign need not build on what the log says that they have seen, and may refer to anything. Honest authors
 * continue with what they hold of it.
 */
test('what takes effect depends neither on the order nor on the batches in which changes come', async () => {
  const counts = { honest: 0, valid: 0, several: 0, void: 0, waiting: 0 }
  const seeds = rounds(20)
  for (let seed = 1; seed <= seeds; seed++) {
    const random = generator(seed * 7919)
    const sent = await play(random)
    const results = []
    for (let replica = 0; replica < 4; replica++) results.push(await receive(sent, random, replica))
    const [first, ...others] = results
    for (const each of others) expect(each, `seed ${seed}`).toEqual(first)

    for (const { author } of sent) if (HONEST.includes(author)) counts.honest++
    for (const place of first!.voids) {
      expect(HOSTILE, `seed ${seed}`).toContain(sent[place]!.author)
      counts.void++
    }
    for (const [place, { author, body }] of sent.entries()) {
      const hashes = decoded(body.bytes).map(({ hash }) => hash)
      const effective = hashes.filter((each) => first!.effective.has(each))
      // Together or not at all.
      expect([0, hashes.length], `seed ${seed}, ${place}`).toContain(effective.length)
      const isEffective = effective.length > 0
      if (isEffective && hashes.length > 1) counts.several++
      const isHonest = HONEST.includes(author)
      expect(isEffective || !isHonest, `seed ${seed}, ${place}`).toBe(true)
      if (!isHonest && isEffective) counts.valid++
      if (!isEffective && !first!.voids.includes(place)) counts.waiting++
    }
  }
  // Enough of each was among them.
  expect(counts.honest).toBeGreaterThan(seeds * 16)
  expect(counts.valid).toBeGreaterThan(seeds * 3)
  expect(counts.several).toBeGreaterThan(seeds / 4)
  expect(counts.void).toBeGreaterThan(seeds * 3)
  expect(counts.waiting).toBeGreaterThan(seeds / 6)
})

/** A session of all authors, and what they send. */
async function play(random: () => number): Promise<Sent[]> {
  const sent: Sent[] = []
  const nat = (below: number): number => Math.floor(random() * below)
  const states = new Map<string, EntityState>()
  const held = new Map<string, Set<number>>()
  for (const name of [...HONEST, ...HOSTILE]) {
    states.set(name, await model.open(undefined))
    held.set(name, new Set())
  }
  const send = (author: string, bytes: Uint8Array, after: Iterable<number>): void => {
    const own = sent.filter((each) => each.author === author).length
    sent.push({ body: bodyAt(originOf(author, own + 1), bytes), author, after: [...after] })
    held.get(author)!.add(sent.length - 1)
  }
  for (let step = 0; step < 50; step++) {
    const honest = HONEST[nat(HONEST.length)]!
    const kind = random()
    if (kind < 0.45) {
      const bytes = edit(states.get(honest)!, honest, nat)
      if (bytes) send(honest, bytes, held.get(honest)!)
    } else if (kind < 0.75) {
      const to = random() < 0.7 ? honest : HOSTILE[nat(HOSTILE.length)]!
      const ready = order(sent, held.get(to)!, nat, nat(4))
      for (const place of ready) held.get(to)!.add(place)
      states.get(to)!.fold(ready.map((place) => sent[place]!.body))
      if (random() < 0.5) void states.get(to)!.mirror
    } else {
      const author = HOSTILE[nat(HOSTILE.length)]!
      const copy = await model.open(states.get(author)!.snapshot())
      const bytes = edit(copy, author, nat)
      copy.close()
      if (!bytes) continue
      const isHonest = random() < 0.4
      const forged = isHonest
        ? bytes
        : random() < 0.1
          ? mutate(bytes, random)
          : forge(bytes, sent, nat)
      // They say that they have seen nothing but their own work.
      const own = [...sent.keys()].filter((place) => sent[place]!.author === author)
      send(author, forged, own)
      states.get(author)!.fold([sent.at(-1)!.body])
    }
  }
  for (const state of states.values()) state.close()
  return sent
}

/** One small command. */
function edit(
  state: EntityState,
  author: string,
  nat: (below: number) => number,
): Uint8Array | undefined {
  const draft = state.begin(originOf(author))
  const doc = draft.handle as DocumentHandle<Content>
  for (let left = 1 + nat(3); left > 0; left--) {
    const kind = nat(8)
    const text = kind % 2 === 0 ? 'text' : 'other'
    const length = doc[text].length
    if (kind < 3) doc.splice([text], nat(length + 1), 0, 'xyz'.slice(nat(3)))
    else if (kind === 3 && length > 0) doc.splice([text], nat(length), 1, '')
    else if (kind === 4) doc.list.splice(nat(doc.list.length + 1), nat(2), nat(9))
    else if (kind === 5 && doc.list.length > 0) doc.list[nat(doc.list.length)] = { n: nat(9) }
    else if (kind === 6) doc.map[`k${nat(3)}`] = nat(2) === 0 ? [1] : nat(9)
    else delete doc.map[`k${nat(3)}`]
  }
  return draft.finish()
}

/** The change with one or two of its references put elsewhere, encoded as Automerge would. */
function forge(
  bytes: Uint8Array,
  sent: readonly Sent[],
  nat: (below: number) => number,
): Uint8Array {
  const first = A.decodeChange(chunkOf(bytes))
  const change = structuredClone(first)
  const isSecond = nat(3) === 0
  if (isSecond) {
    change.seq++
    change.startOp += first.ops.length
    change.deps = [first.hash!]
  }
  const any = <T>(list: readonly T[]): T => list[nat(list.length)]!
  const changes = [...sent.flatMap(({ body }) => decoded(body.bytes)), change]
  const made = changes.flatMap(({ ops, startOp, actor }) =>
    (ops as unknown as Op[]).map((op, i) => ({ id: `${startOp + i}@${actor}`, op })),
  )
  for (const id of initialOps) made.push({ id, op: any(made).op })
  for (let left = isSecond ? nat(2) : nat(4) === 0 ? 2 : 1; left > 0; left--) {
    const op = any(change.ops as unknown as Op[])
    const kind = nat(13)
    if (kind < 5 && op.elemId) {
      // An item of the same list, of whatever change.
      const items = made.filter((each) => each.op.insert && each.op.obj === op.obj)
      if (items.length > 0) op.elemId = any(items).id
      if (op.pred.length > 0) op.pred = [op.elemId]
    } else if (kind === 5) op.obj = any(made).id
    else if (kind === 6 && op.elemId) op.elemId = nat(4) === 0 ? '_head' : any(made).id
    else if (kind === 7) op.pred = [...op.pred, any(made).id].sort(byLamport)
    else if (kind === 8) op.pred = op.pred.map(() => any(made).id).sort(byLamport)
    else if (kind === 9) {
      const { obj, key, elemId } = any(made).op
      delete op.key
      delete op.elemId
      Object.assign(op, { obj }, key === undefined ? { elemId } : { key })
    } else if (kind === 10) {
      const others = nat(2) === 0 ? change.deps : []
      change.deps = [...new Set([...others, any(changes.slice(0, -1))?.hash ?? UNKNOWN])].sort()
    } else if (kind === 11) op.pred = op.pred.slice(1)
    else if (nat(2) === 0) change.startOp += nat(4)
    else change.seq += nat(3) - 1
  }
  try {
    const forged = A.encodeChange(change)
    const chunks = isSecond ? Buffer.concat([chunkOf(bytes), forged]) : forged
    return encodeBody({ chunks, tree: any(trees) })
  } catch {
    return bytes
  }
}

const UNKNOWN = 'ab'.repeat(32)

interface Op {
  obj: string
  insert?: boolean
  key?: string
  elemId?: string
  pred: string[]
}

const byLamport = (a: string, b: string): number =>
  parseInt(a, 10) - parseInt(b, 10) || (a.split('@')[1]! < b.split('@')[1]! ? -1 : 1)

/** The changes that these bytes are, if they are some. */
function decoded(bytes: Uint8Array): readonly A.DecodedChange[] {
  let known = decodedBytes.get(bytes)
  if (!known) {
    try {
      known = readChanges(chunkOf(bytes)).map((each) => A.decodeChange(each.bytes))
    } catch {
      known = []
    }
    decodedBytes.set(bytes, known)
  }
  return known
}

const decodedBytes = new WeakMap<Uint8Array, readonly A.DecodedChange[]>()

/** Up to `count` bodies that are not held, in a random order in which the log may deliver them. */
function order(
  sent: readonly Sent[],
  held: ReadonlySet<number>,
  nat: (below: number) => number,
  count: number,
): number[] {
  const chosen: number[] = []
  const has = (place: number): boolean => held.has(place) || chosen.includes(place)
  while (chosen.length < count) {
    const ready = [...sent.keys()].filter(
      (place) => !has(place) && sent[place]!.after.every((each) => has(each)),
    )
    if (ready.length === 0) break
    chosen.push(ready[nat(ready.length)]!)
  }
  return chosen
}

/** What one more replica makes of it all: the first gets all at once, the second one by one, others as it comes. */
async function receive(sent: readonly Sent[], random: () => number, replica: number) {
  const nat = (below: number): number => Math.floor(random() * below)
  let state = await model.open(undefined)
  const places = order(sent, new Set(), nat, sent.length)
  const voids: number[] = []
  const fold = (bodies: readonly Body[]): void => {
    for (const body of state.fold(bodies)) {
      voids.push(
        sent.findIndex(
          ({ body: { origin } }) =>
            origin.session === body.origin.session && origin.seq === body.origin.seq,
        ),
      )
    }
  }
  for (let at = 0; at < places.length;) {
    const size = replica === 0 ? places.length : replica === 1 ? 1 : 1 + nat(8)
    fold(places.slice(at, at + size).map((place) => sent[place]!.body))
    at += size
    if (replica === 1 || nat(2) === 0) void state.mirror
    if (nat(10) === 0) {
      fold([])
      const snapshot = state.snapshot()
      fold([])
      state.close()
      state = await model.open(snapshot)
    }
  }
  const { mirror, version } = state
  fold([])
  const effective = A.getAllChanges(A.load(decodeSnapshot(state.snapshot()).saved)).map(
    (each) => A.decodeChange(each).hash!,
  )
  const reopened = await model.open(state.snapshot())
  expect(reopened.mirror).toEqual(mirror)
  expect(reopened.version).toBe(version)
  reopened.close()
  state.close()
  return {
    mirror,
    version,
    voids: voids.sort((a, b) => a - b),
    effective: new Set<string | undefined>(effective),
  }
}
