import { hash, limits, toHex, utf8, type SessionId } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { decodeAnnouncement, encodeAnnouncement } from './announcement.ts'

const idOf = (name: string) => toHex(hash('test', utf8(name)))
const tip = (seq: number) => ({
  session: idOf('s') as SessionId,
  seq,
  mark: idOf('m').slice(0, 16),
})
const secret = hash('secret')

describe('an announcement', () => {
  it('is read by whoever knows the secret', () => {
    expect(decodeAnnouncement(encodeAnnouncement([tip(3)], secret), secret)).toEqual([tip(3)])
  })

  it('of somebody else is refused, and so is a changed one', () => {
    const payload = encodeAnnouncement([tip(3)], secret)
    const refused = [
      encodeAnnouncement([tip(3)], hash('other')),
      ...Array.from(payload, (_, i) => payload.map((byte, j) => (i === j ? byte ^ 1 : byte))),
      new Uint8Array(limits.announcementBytes + 1),
    ]
    for (const each of refused) {
      expect(() => decodeAnnouncement(each, secret)).toThrow(
        expect.objectContaining({ name: 'PeerplaneError' }),
      )
    }
  })

  it('of a very long frontier keeps its end and stays below the limit', () => {
    const tips = Array.from({ length: 5_000 }, (_, i) => tip(2 ** 50 + i))
    const payload = encodeAnnouncement(tips, secret)
    expect(payload.length).toBeLessThanOrEqual(limits.announcementBytes)
    const read = decodeAnnouncement(payload, secret)
    expect(read.length).toBeGreaterThan(1_000)
    expect(read.at(-1)).toEqual(tips.at(-1))
  })
})
