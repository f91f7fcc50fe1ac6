import { afterEach, describe, expect, test, vi } from 'vitest'

import { limits } from '../limits.ts'
import type { Network } from '../ports/network.ts'
import { NetworkWitness } from './network-witness.ts'

/** Two peers of a network that were not started. */
export interface NetworkFixture {
  readonly a: Network
  readonly b: Network
  /** Sees to it that the two find each other, now that both are started. */
  connect(): void
  /** Sees to it that the two, which are linked, get a better path. */
  upgrade(): void
  /** Ends whatever belongs to neither. */
  close(): Promise<void>
}

/** The tests that every {@link Network} passes. `open` gives new peers at every call; the suite stops what it starts. */
export function networkContract(name: string, open: () => Promise<NetworkFixture>): void {
  const cleanups: (() => Promise<void>)[] = []
  const started = async () => {
    const fixture = await open()
    const [a, b] = [
      new NetworkWitness(fixture.a, fixture.b),
      new NetworkWitness(fixture.b, fixture.a),
    ]
    cleanups.push(async () => {
      await Promise.all([fixture.a.stop(), fixture.b.stop()])
      await fixture.close()
    })
    await Promise.all([fixture.a.start(a), fixture.b.start(b)])
    return { fixture, a, b }
  }
  const linked = async () => {
    const all = await started()
    all.fixture.connect()
    await until(() => all.a.links.length > 0 && all.b.links.length > 0)
    return all
  }

  describe(`network contract: ${name}`, { timeout: 60_000 }, () => {
    afterEach(async () => {
      for (const cleanup of cleanups.splice(0)) await cleanup()
    })

    test('two peers have one link each, to whom the other has proved to be', async () => {
      const { fixture, a, b } = await linked()
      expect(a.links.map(({ peer }) => peer)).toEqual([fixture.b.localPeer])
      expect(b.links.map(({ peer }) => peer)).toEqual([fixture.a.localPeer])
      expect(a.link.identity).toEqual({ device: `device ${fixture.b.localPeer}`, anchor: false })
      for (const { started: is, connections } of [fixture.a.status(), fixture.b.status()]) {
        expect(is).toBe(true)
        expect(connections.length).toBeGreaterThan(0)
      }
    })

    test('who is refused in the handshake gets no link, on either side', async () => {
      const { fixture, a, b } = await started()
      a.refuses = true
      fixture.connect()
      await until(() => a.refused > 0)
      await pause()
      expect([a.events, b.events]).toEqual([[], []])
      a.refuses = false
      fixture.connect()
      await until(() => a.links.length > 0 && b.links.length > 0)
    })

    test('frames up to the largest arrive byte for byte and in order, both ways', async () => {
      const { a, b } = await linked()
      const sizes = [1, 70_000, 2, limits.linkWindowBytes + 1, limits.frameBytes, 3]
      const sent = sizes.map((length, i) => new Uint8Array(length).fill(i + 1))
      for (const frame of sent) {
        void a.link.send(frame)
        void b.link.send(frame)
      }
      await until(() => a.frames.length === sizes.length && b.frames.length === sizes.length)
      for (const { frames } of [a, b]) {
        expect(frames.map(({ length }) => length)).toEqual(sizes)
        for (const [i, frame] of frames.entries()) {
          expect(frame.every((byte) => byte === i + 1)).toBe(true)
        }
      }
    })

    test('one who takes frames slowly is not sent more and more of them', async () => {
      const { a, b } = await linked()
      const release = b.holdFrames()
      let taken = 0
      const writing = (async () => {
        for (; taken < 40; taken++) await a.link.send(new Uint8Array(limits.linkWindowBytes / 4))
      })()
      await pause()
      expect(taken).toBeLessThan(20)
      release()
      await writing
      await until(() => b.frames.length === 40)
    })

    test('a frame beyond the limit never arrives, and ends its link', async () => {
      const { a, b } = await linked()
      const { id } = a.link
      await a.link.send(new Uint8Array(limits.frameBytes + 1))
      await until(() => a.isGone(id) && b.events.some(({ what }) => what === 'disconnected'))
      expect([...a.frames, ...b.frames]).toEqual([])
    })

    test('the end of a link is reported once to each side; what is sent later is dropped', async () => {
      const { a, b } = await linked()
      const link = a.link
      const other = b.link
      link.close('the test is over')
      await until(() => a.isGone(link.id) && b.isGone(other.id))
      const before = b.frames.length
      await link.send(Uint8Array.of(1))
      await other.send(Uint8Array.of(1))
      link.close('once more')
      await pause()
      expect(b.frames).toHaveLength(before)
      expect([a.disorder(), b.disorder()]).toEqual([[], []])
    })

    test('a better path takes over: the new link comes before the old one goes, and no frame is lost', async () => {
      const { fixture, a, b } = await linked()
      const [oldA, oldB] = [a.link.id, b.link.id]
      let sent = 0
      const talk = setInterval(() => {
        if (a.links.length > 0) void a.link.send(Uint8Array.of(++sent))
      }, 2)
      fixture.upgrade()
      await until(() => a.isGone(oldA) && b.isGone(oldB)).finally(() => clearInterval(talk))
      await until(() => b.frames.length >= sent)
      expect(b.frames.map(([byte]) => byte).toSorted((x, y) => x! - y!)).toEqual(
        Array.from({ length: sent }, (_, i) => (i + 1) & 255).toSorted((x, y) => x - y),
      )
      for (const witness of [a, b]) {
        expect(witness.links).toHaveLength(1)
        expect(witness.disorder()).toEqual([])
      }
      // The side that has the new link first keeps the old one until then; the other side may see the old one end first.
      expect(Math.max(a.leastLinks(), b.leastLinks())).toBe(1)
    })

    test('after a stop there is no link and no word more; after a start there is a link again', async () => {
      const { fixture, a, b } = await linked()
      void b.link.send(new Uint8Array(1000))
      await fixture.a.stop()
      expect(a.links).toEqual([])
      expect(fixture.a.status()).toMatchObject({ started: false, connections: [] })
      const told = a.events.length
      fixture.b.announce(Uint8Array.of(1))
      await until(() => b.links.length === 0)
      await pause()
      expect(a.events).toHaveLength(told)
      expect(a.announcements).toEqual([])
      await fixture.a.stop()
      await fixture.a.start(a)
      fixture.connect()
      await until(() => a.links.length > 0 && b.links.length > 0)
      expect([a.disorder(), b.disorder()]).toEqual([[], []])
    })

    test('an announcement up to the limit reaches the other, a larger one does not', async () => {
      const { fixture, a, b } = await linked()
      const largest = new Uint8Array(limits.announcementBytes).fill(7)
      // It may get lost while the gossip forms.
      await until(() => {
        fixture.a.announce(new Uint8Array(limits.announcementBytes + 1))
        fixture.a.announce(largest)
        return b.announcements.length > 0
      }, 500)
      expect(b.announcements.map(({ length }) => length)).toContain(limits.announcementBytes)
      expect(b.announcements.filter(({ length }) => length > largest.length)).toEqual([])
      expect(a.announcements).toEqual([])
    })
  })
}

const until = (condition: () => boolean, interval = 5): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval })

/** Long enough for what should not happen. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300))
