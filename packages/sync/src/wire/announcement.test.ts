import {
  encodeCanonical,
  fromHex,
  hash,
  limits,
  mac,
  tipToValue,
  toHex,
  utf8,
  type SessionId,
  type Value,
} from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import {
  ANNOUNCED_TIPS,
  decodeAnnouncement,
  encodeAnnouncement,
  readAnnouncement,
} from './announcement.ts'

const idOf = (name: string) => toHex(hash('test', utf8(name)))
const tip = (seq: number) => ({
  session: idOf('s').slice(0, 32) as SessionId,
  seq,
  mark: idOf('m').slice(0, 32),
})
const secret = hash('secret')
const held = (...tips: ReturnType<typeof tip>[]) => ({
  commits: 9,
  digest: idOf('d').slice(0, 32),
  tips,
})

const read = (payload: Uint8Array) => {
  const content = readAnnouncement(payload, secret)
  return content && decodeAnnouncement(content)
}

describe('an announcement', () => {
  it('is read by a device that knows the secret', () => {
    expect(read(encodeAnnouncement(held(tip(3)), secret))).toEqual(held(tip(3)))
  })

  it('may hold an unknown key; if that is critical, an update is needed to read it', () => {
    const extended = (...list: Value[]): Uint8Array => {
      const { commits, digest, tips } = held(tip(3))
      const content = [commits, fromHex(digest), tips.map(tipToValue), list]
      const sign = mac(secret, 'announcement', encodeCanonical(content))
      return encodeCanonical([content, sign])
    }
    expect(read(extended(1, 'news'))).toEqual(held(tip(3)))
    expect(() => read(extended(2, 'must'))).toThrow(
      expect.objectContaining({ code: 'needs-update' }),
    )
  })

  it('that belongs to another space or was changed is refused', () => {
    const payload = encodeAnnouncement(held(tip(3)), secret)
    const refused = [
      encodeAnnouncement(held(tip(3)), hash('other')),
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

  it('of many changes keeps the latest', () => {
    const tips = Array.from({ length: 5_000 }, (_, i) => tip(2 ** 50 + i))
    const payload = encodeAnnouncement(held(...tips), secret)
    expect(payload.length).toBeLessThanOrEqual(limits.announcementBytes)
    expect(read(payload)).toEqual(held(...tips.slice(-ANNOUNCED_TIPS)))
  })
})
