import { encodeCanonical, hash, limits, mac, toHex, utf8, type SessionId } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { decodeTips, encodeAnnouncement, readAnnouncement } from './announcement.ts'

const idOf = (name: string) => toHex(hash('test', utf8(name)))
const tip = (seq: number) => ({
  session: idOf('s') as SessionId,
  seq,
  mark: idOf('m').slice(0, 32),
})
const secret = hash('secret')

const read = (payload: Uint8Array) => {
  const content = readAnnouncement(payload, secret)
  return content && decodeTips(content)
}

describe('an announcement', () => {
  it('is read by a device that knows the secret', () => {
    expect(read(encodeAnnouncement([tip(3)], secret))).toEqual([tip(3)])
  })

  it('of somebody else is refused, and so is a changed one', () => {
    const payload = encodeAnnouncement([tip(3)], secret)
    const refused = [
      encodeAnnouncement([tip(3)], hash('other')),
      ...Array.from(payload, (_, i) => payload.map((byte, j) => (i === j ? byte ^ 1 : byte))),
      ...Array.from(payload, (_, i) => payload.slice(0, i)),
      new Uint8Array(limits.announcementBytes + 1),
    ]
    for (const each of refused) expect(readAnnouncement(each, secret)).toBeUndefined()
  })

  it('that a member wrote and nobody can read is malformed', () => {
    const strange = encodeCanonical([
      ['tips'],
      mac(secret, 'announcement', encodeCanonical(['tips'])),
    ])
    expect(() => read(strange)).toThrow(expect.objectContaining({ code: 'malformed' }))
  })

  it('of a very long frontier keeps its end and stays below the limit', () => {
    const tips = Array.from({ length: 5_000 }, (_, i) => tip(2 ** 50 + i))
    const payload = encodeAnnouncement(tips, secret)
    expect(payload.length).toBeLessThanOrEqual(limits.announcementBytes)
    const held = read(payload)
    expect(held?.length).toBeGreaterThan(1_000)
    expect(held?.at(-1)).toEqual(tips.at(-1))
  })
})
