import { limits } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { GossipJudge, type Judgement } from './gossip-judge.ts'

function setUp() {
  const time = { now: 0 }
  const judge = new GossipJudge(() => time.now)
  let asked = 0
  const say = (peer: string, good = true, bytes = 100): Judgement =>
    judge.judge(peer, bytes, () => {
      asked += 1
      return good
    })
  const taken = (count: number, peer: (n: number) => string, bytes?: number): number =>
    Array.from({ length: count }, (_, n) => say(peer(n), true, bytes)).filter(
      (judgement) => judgement.taken,
    ).length
  return { time, judge, say, taken, asked: () => asked }
}

describe('gossip', () => {
  it('that no member wrote is dropped, and a peer that continues to send it is cut off once', () => {
    const { say, asked } = setUp()
    for (let n = 1; n < limits.gossipGarbage; n += 1) {
      expect(say('liar', false)).toEqual({ taken: false })
      expect(say('honest')).toEqual({ taken: true })
    }
    expect(say('liar', false)).toEqual({ taken: false, offence: 'garbage' })
    const before = asked()
    for (let n = 0; n < 2_000; n += 1) expect(say('liar', n % 2 === 0)).toEqual({ taken: false })
    expect(asked()).toBe(before)
    expect(say('honest')).toEqual({ taken: true })
  })

  it('is accepted at a bounded rate, from one peer and in total', () => {
    const { time, taken } = setUp()
    expect(taken(1_000, () => 'loud')).toBe(2 * limits.gossipPerSecond)
    const rest = 2 * limits.gossipPassedPerSecond - 2 * limits.gossipPerSecond
    expect(taken(1_000, (n) => `peer ${n}`)).toBe(rest)
    time.now += 1_000
    expect(taken(500, () => 'loud')).toBe(limits.gossipPerSecond)
    time.now += 10_000
    const bytes = limits.announcementBytes
    expect(taken(1_000, (n) => `peer ${n}`, bytes)).toBe((2 * limits.gossipBytesPerSecond) / bytes)
  })

  it('a peer that sends too much gossip is disconnected once, and a peer that only forwards the gossip of others never', () => {
    const { time, say } = setUp()
    const offences = Array.from({ length: 3 * limits.gossipFloodPerSecond }, () => say('flood'))
    expect(offences.flatMap(({ offence }) => offence ?? [])).toEqual(['flood'])
    for (let second = 0; second < 20; second += 1) {
      for (let n = 0; n < limits.gossipPassedPerSecond + 10; n += 1) {
        expect(say('passes on what many announce').offence).toBeUndefined()
      }
      time.now += 1_000
    }
  })

  it('of a peer that comes back is judged from the start', () => {
    const { judge, say } = setUp()
    for (let n = 0; n < limits.gossipGarbage; n += 1) say('liar', false)
    judge.forget('liar')
    expect(say('liar')).toEqual({ taken: true })
  })
})
