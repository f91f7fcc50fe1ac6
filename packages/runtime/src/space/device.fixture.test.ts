import {
  counter,
  document,
  entity,
  HybridClock,
  PeerplaneError,
  Services,
  set,
  type Store,
} from '@peerplane/core'
import { checkedStore } from '@peerplane/crdt-store'

import { Invoker } from '../commands/invoker.ts'
import { systemClock, systemRandom, systemScheduler, webCrypto, type Ports } from '../index.ts'
import { createFounding } from '../membership/founding.ts'
import { openMembership, type Membership } from '../membership/membership.ts'
import { holdSpace, type HeldSpace, type HeldSpaceEvents } from './held-space.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (state, by: number) => state.increment(by) },
})
const Tags = entity('tags', {
  state: set<string>(),
  commands: {
    fill: (tags, [prefix, count]: readonly [string, number]) => {
      for (let i = 0; i < count; i++) tags.add(`${prefix} ${i}`)
    },
  },
})
const Note = entity('note', {
  state: document({ text: '' }),
  commands: {
    enter: (note, text: string) => {
      note.text = text
    },
  },
})
const crypto = webCrypto()

/** A space that is held without a plane and a network around it. */
export interface Device {
  readonly space: HeldSpace
  readonly membership: Membership
  readonly ports: Ports
  readonly events: string[]
  /** Adds to a counter. */
  up(id: string, by: number): ReturnType<Invoker['invoke']>
  /** Adds so many elements to a set. */
  fill(id: string, prefix: string, count: number): ReturnType<Invoker['invoke']>
  /** Sets the text of a document. */
  enter(id: string, text: string): ReturnType<Invoker['invoke']>
  value(id: string): Promise<unknown>
  readonly run: Invoker['run']
  close(): Promise<void>
}

/** Holds the space of `store`, or founds one; `on` is called with what happens. */
export async function device(
  store: Store,
  invitation?: string,
  as: Partial<Ports> = {},
  on: Partial<Pick<HeldSpaceEvents, 'changed' | 'reset'>> = {},
): Promise<Device> {
  const checked = checkedStore(store)
  const ports = {
    crypto,
    random: systemRandom,
    clock: systemClock,
    scheduler: systemScheduler,
    ...as,
    key: as.key ?? (await (as.crypto ?? crypto).keyFromSeed(systemRandom.bytes(32))),
    store: checked,
  }
  const opened = await openMembership(ports, { join: invitation })
  const { membership } = opened
  const founding = createFounding(ports, opened, () => undefined)
  await founding.found()
  const events: string[] = []
  const declared = [Count, Tags, Note]
  const services = new Services(undefined)
  const clock = new HybridClock(ports.clock)
  const space = await holdSpace(services, ports, declared, membership, clock, {
    changed: (keys) => on.changed?.(keys),
    reset: () => {
      events.push('reset')
      on.reset?.()
    },
    failed: (error) => events.push(error instanceof PeerplaneError ? error.code : 'unknown'),
    closing: () => events.push('closing'),
  })
  const invoker = new Invoker({
    declared,
    space,
    store: checked,
    founding,
    device: membership.device,
    random: ports.random,
    scheduler: ports.scheduler,
    undone: 0,
    changed: async () => undefined,
    caughtUp: async () => undefined,
    settled: () => undefined,
  })
  return {
    space,
    membership,
    ports,
    events,
    up: async (id, by) =>
      invoker.invoke([{ type: 'count', id, command: 'up', input: by }], { durability: 'local' }),
    fill: async (id, prefix, count) =>
      invoker.invoke([{ type: 'tags', id, command: 'fill', input: [prefix, count] }], {
        durability: 'local',
      }),
    enter: async (id, text) =>
      invoker.invoke([{ type: 'note', id, command: 'enter', input: text }], {
        durability: 'local',
      }),
    run: (invocations) => invoker.run(invocations),
    close: () => services.stop(),
    value: async (id) => {
      await space.folded()
      return (await space.entities.open(`count/${id}` as never)).mirror
    },
  }
}

/** Passes on what `to` lacks, one run of each session. */
export async function pass(from: Device, to: Device): Promise<void> {
  for (const { session, seq, mark } of from.space.log.delivered().values()) {
    const held = to.space.log.stored().get(session)
    if (held && (held.seq > seq || (held.seq === seq && held.mark === mark))) continue
    const next = Math.min(seq, (held?.seq ?? 0) + 1)
    await to.space.log.admit((await from.space.log.range(session, next, 1))!)
  }
}
