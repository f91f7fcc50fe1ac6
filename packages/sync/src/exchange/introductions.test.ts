import { limits, type DeviceId, type Link } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { createIntroductions } from './introductions.ts'
import type { Introduction } from '../wire/messages.ts'

const deviceOf = (peer: string) => `device of ${peer}` as DeviceId
const linkTo = (peer: string): Link => ({
  id: `link to ${peer}`,
  peer,
  identity: { device: deviceOf(peer), anchor: false },
  path: 'direct',
  send: () => Promise.resolve(),
  close: () => {},
})
const introductionOf = (peer: string, ...addresses: string[]): Introduction => ({
  peer,
  addresses,
  device: deviceOf(peer),
})

function introductionsOf(me: Introduction, ...peers: string[]) {
  const introductions = createIntroductions(() => me, me.peer === 'anchor')
  for (const peer of peers) introductions.connected(linkTo(peer))
  return introductions
}

describe('an anchor', () => {
  const me = introductionOf('anchor', '/anchor')

  it('introduces everybody to everybody, and says it once', () => {
    const introductions = introductionsOf(me, 'a', 'b')
    expect(introductions.news(linkTo('a'))).toEqual([me, introductionOf('b')])
    expect(introductions.news(linkTo('a'))).toBeUndefined()
    introductions.connected(linkTo('c'))
    expect(introductions.news(linkTo('a'))).toEqual([me, introductionOf('b'), introductionOf('c')])
  })

  it('never says more than one message carries', () => {
    const peers = Array.from({ length: 90 }, (_, i) => `p${i}`)
    const news = introductionsOf(me, ...peers).news(linkTo('p0'))!
    expect(news).toHaveLength(limits.peersPerMessage)
    expect(news[0]).toEqual(me)
    expect(news.at(-1)).toEqual(introductionOf('p89'))
  })
})

describe('another peer', () => {
  const me = introductionOf('me', '/me')

  it('passes on only those that can be reached without it', () => {
    const introductions = introductionsOf(me, 'a', 'b', 'c')
    introductions.told(linkTo('b'), [introductionOf('b', '/b')])
    expect(introductions.news(linkTo('a'))).toEqual([me, introductionOf('b', '/b')])
    introductions.disconnected(linkTo('b'))
    expect(introductions.news(linkTo('a'))).toEqual([me])
  })

  it('takes hints about those it does not know, and nobody speaks for a linked peer', () => {
    const introductions = introductionsOf(me, 'a', 'b')
    const told = [introductionOf('me'), introductionOf('b', '/forged'), introductionOf('x', '/x')]
    expect(introductions.told(linkTo('a'), told)).toEqual([introductionOf('x', '/x')])
    expect(introductions.news(linkTo('a'))).toEqual([me])
  })
})
