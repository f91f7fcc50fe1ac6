import { readFileSync } from 'node:fs'

import {
  countVotes,
  type PeerplaneError,
  type Body,
  type DeviceId,
  type EntityState,
  type Json,
  type SessionId,
  type Shape,
  type StateModel,
  type Votes,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { describe, expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * docs/cloudstate-vectors.json holds what the state models of Cloudstate do, taken from its public tests and documentation, as commands and
 * states of ours. Each vector runs on one replica and on three, unless it says otherwise, and once more with a passivation after each step.
 */

/** A call: the fields and keys that lead to the place, joined by a slash; the method; its arguments. */
type Call = readonly [path: string, method: string, ...args: Json[]]

interface Step {
  /** At this replica; on one replica, everything happens there. */
  readonly at?: number
  readonly do?: readonly Call[]
  /** What the replica shows after the calls. The votes are those of devices, named by their replicas. */
  readonly state?: Json
  /** How many votes are for, and how many there are. */
  readonly tally?: readonly [votesFor: number, voters: number]
  /** Whether the calls change nothing. */
  readonly quiet?: true
  /** The code of the error with which the calls are refused. */
  readonly refused?: string
  /** All replicas receive everything. */
  readonly sync?: true
  /** The states of all replicas leave memory, and come back from their snapshots. */
  readonly passivate?: true
}

interface Vector {
  readonly model: string
  readonly what: string
  readonly from: string
  readonly shape: Shape
  /** The numbers of replicas on which the states hold. */
  readonly replicas?: readonly number[]
  readonly steps: readonly Step[]
}

const file = new URL('../../../../docs/cloudstate-vectors.json', import.meta.url)
const { origins, vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly origins: { readonly [name: string]: string }
  readonly vectors: readonly Vector[]
}

describe('what Cloudstate does', () => {
  test.each(vectors.map((each) => [`${each.model}: ${each.what}`, each] as const))(
    '%s',
    async (_, vector) => {
      for (const count of vector.replicas ?? [1, 3]) {
        for (const isPassivated of [false, true]) await run(vector, count, isPassivated)
      }
    },
  )

  test('is there for each model of Cloudstate, and each vector names its origin', () => {
    const models = new Set(vectors.map(({ model }) => model))
    expect([...models].sort()).toEqual(
      'Flag GCounter GSet LWWMap LWWRegister ORMap ORSet PNCounter PNCounterMap Vote'.split(' '),
    )
    for (const { from } of vectors) expect(Object.keys(origins)).toContain(from)
  })
})

async function run(vector: Vector, count: number, isPassivated: boolean): Promise<void> {
  const replicas = new Replicas(vector.shape)
  await replicas.open(count)
  for (const [i, step] of vector.steps.entries()) {
    if (step.sync) replicas.sync()
    if (step.at !== undefined) expectStep(replicas, step, `step ${i} on ${count} replicas`)
    if (step.passivate || isPassivated) await replicas.passivate()
  }
  replicas.sync()
  expect(new Set(replicas.snapshots()).size).toBe(1)
}

/** Runs the calls of a step, and compares what it demands. */
function expectStep(replicas: Replicas, step: Step, place: string): void {
  const at = step.at! % replicas.count
  const { refused, isQuiet } = replicas.command(at, step.do ?? [])
  expect({ place, refused }).toEqual({ place, refused: step.refused })
  if (step.quiet) expect({ place, isQuiet }).toEqual({ place, isQuiet: true })
  const state = replicas.shown(at)
  if (step.state !== undefined) expect({ place, state }).toEqual({ place, state: step.state })
  if (step.tally) {
    const { voters, votesFor } = countVotes(state as Votes)
    expect({ place, tally: [votesFor, voters] }).toEqual({ place, tally: step.tally })
  }
}

class Replicas {
  readonly #model: StateModel
  readonly #shape: Shape
  readonly #states: EntityState[] = []
  /** How many commits each replica has made. */
  readonly #made: number[] = []
  readonly #sent: Body[] = []
  #ms = 0

  constructor(shape: Shape) {
    this.#model = nativeModel(shape)
    this.#shape = shape
  }

  get count(): number {
    return this.#states.length
  }

  async open(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#states.push(await this.#model.open(undefined))
      this.#made.push(0)
    }
  }

  sync(): void {
    for (const state of this.#states) {
      if (state.fold(this.#sent).length > 0) throw new Error('a body is void')
    }
  }

  async passivate(): Promise<void> {
    for (const [i, state] of this.#states.entries()) {
      this.#states[i] = await this.#model.open(state.snapshot())
    }
  }

  snapshots(): string[] {
    return this.#states.map((state) => state.snapshot()!.join())
  }

  /** What a replica shows; votes are those of replicas. */
  shown(at: number): Json {
    const { mirror } = this.#states[at]!
    if (this.#shape.kind !== 'vote') return mirror
    const votes = Object.entries(mirror as Votes)
    return Object.fromEntries(
      votes.map(([device, each]) => [parseInt(device.slice(0, 4), 16), each]),
    )
  }

  /** With which code the calls are refused, or whether they change nothing. */
  command(at: number, calls: readonly Call[]): { refused: string | undefined; isQuiet: boolean } {
    const state = this.#states[at]!
    const seq = this.#made[at]! + 1
    const time = { ms: ++this.#ms, counter: 0 }
    const origin = { device: deviceId(at), session: sessionId(at), seq, time }
    const draft = state.begin(origin)
    try {
      for (const each of calls) call(draft.handle, this.#shape, each)
    } catch (error) {
      draft.revert()
      return { refused: (error as PeerplaneError).code, isQuiet: true }
    }
    const bytes = draft.finish()
    if (bytes) {
      const body = bodyAt(origin, bytes)
      state.identify(body)
      this.#sent.push(body)
      this.#made[at] = seq
    }
    return { refused: undefined, isQuiet: !bytes }
  }
}

function call(root: unknown, shape: Shape, [path, method, ...args]: Call): void {
  let handle = root as { readonly [name: string]: unknown }
  let inner = shape as Shape & {
    readonly value: Shape
    readonly fields: { readonly [name: string]: Shape }
  }
  for (const name of path === '' ? [] : path.split('/')) {
    const isMap = inner.kind === 'map'
    const next = isMap ? (handle['get'] as (key: string) => unknown)(name) : handle[name]
    handle = next as typeof handle
    inner = (isMap ? inner.value : inner.fields[name]) as typeof inner
  }
  ;(handle[method] as (...args: readonly Json[]) => void)(...args)
}

const deviceId = (n: number): DeviceId => n.toString(16).padStart(4, '0').repeat(16) as DeviceId
const sessionId = (n: number): SessionId => n.toString(16).padStart(32, '0') as SessionId
