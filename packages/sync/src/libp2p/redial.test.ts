import { PeerplaneError } from '@peerplane/core'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'

import { Redial } from './redial.ts'

/** An address and what comes of calling it, on a clock that jumps to the next task. */
async function pausesOf(dial: (lost: () => void) => Promise<Connection>, calls: number) {
  let now = 0
  const times: number[] = []
  const tasks = new Set<{ readonly at: number; readonly task: () => void }>()
  const redial: Redial = new Redial({
    addresses: [multiaddr('/ip4/127.0.0.1/tcp/1')],
    dial: async () => {
      times.push(now)
      return dial(() => redial.lost('peer'))
    },
    linked: () => false,
    failed: () => undefined,
    now: () => now,
    scheduler: {
      after: (delayMs, task) => {
        const planned = { at: now + delayMs, task }
        tasks.add(planned)
        return () => tasks.delete(planned)
      },
    },
    random: { bytes: (length) => new Uint8Array(length).fill(255) },
  })
  redial.start()
  while (times.length < calls) {
    await new Promise((resolve) => setImmediate(resolve))
    const next = [...tasks].toSorted((a, b) => a.at - b.at)[0]
    if (!next) throw new Error('nothing is planned')
    tasks.delete(next)
    now = next.at
    next.task()
  }
  redial.stop()
  return times.slice(1).map((at, i) => at - (times[i] ?? 0))
}

const named = (name: string): Error => Object.assign(new Error(name), { name })
const connection = { remotePeer: { toString: () => 'peer' } } as unknown as Connection

describe('redialling', () => {
  it('a peer soon dials an address again if nothing answers there', async () => {
    const pauses = await pausesOf(() => Promise.reject(named('ECONNREFUSED')), 20)
    expect(pauses[0]).toBe(100)
    expect(Math.max(...pauses)).toBe(2_000)
  })

  it.each(['EncryptionFailedError', 'MuxerUnavailableError'])(
    'a peer that is not admitted waits longer before each attempt: %s',
    async (name) => {
      const pauses = await pausesOf(() => Promise.reject(named(name)), 10)
      expect(pauses.slice(0, 4)).toEqual([250, 500, 1_000, 2_000])
      expect(pauses.at(-1)).toBe(15_000)
    },
  )

  it('a peer that speaks another version is dialled again only after minutes', async () => {
    const pauses = await pausesOf(
      () => Promise.reject(new PeerplaneError('needs-update', 'another version')),
      6,
    )
    expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 600_000])
  })

  it('comes back later each time to somebody who soon cuts it off', async () => {
    const pauses = await pausesOf(async (lost) => {
      setImmediate(lost)
      return Promise.resolve(connection)
    }, 10)
    expect(pauses.slice(0, 4)).toEqual([250, 500, 1_000, 2_000])
    expect(pauses.at(-1)).toBe(15_000)
  })
})
