import {
  canPass,
  errorKinds,
  forkedTip,
  hash,
  limits,
  markOf,
  toHex,
  utf8,
  type BatchId,
  type DeviceId,
  type ErrorCode,
  type ForkProof,
  type SessionId,
  type Tip,
  TipTrie,
} from '@peerplane/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { step } from './engine.ts'
import { compare } from './knowledge.ts'
import { createState, type EngineState } from './state.ts'
import { timing, type Effect, type Input } from './types.ts'
import type { Message } from '../wire/messages.ts'

const idOf = (name: string) => toHex(hash('test', utf8(name)))
const session = (name: string) => idOf(name).slice(0, 32) as SessionId
const tip = (name: string, seq: number): Tip => ({
  session: session(name),
  seq,
  mark: markOf(idOf(`${name}@${seq}`) as never),
})
const forked = (name: string, seq: number): Tip =>
  forkedTip({ session: session(name), seq, previous: idOf(name) as BatchId } as ForkProof)
const range = (name: string, from: number, to: number) => ({ session: session(name), from, to })

/** A log as the engine sees it, which a test moves by hand. */
let log: TipTrie
let state: EngineState
let now: number

const begin = (): void => {
  log = new TipTrie()
  now = 0
  state = createState({ stored: () => log.all, delivered: () => log.all, tips: log }, 0.5)
}
beforeEach(begin)

type Unstamped = Input extends infer Each ? (Each extends Input ? Omit<Each, 'now'> : never) : never

const give = (input: Unstamped): Effect[] =>
  step(state, { ...input, now } as Input).filter(({ kind }) => kind !== 'wakeAt')

const connect = (link: string) =>
  give({ kind: 'linkUp', link, device: idOf(link) as DeviceId, jitter: 0.5 })
const hear = (link: string, message: Message) => give({ kind: 'message', link, message })
const have = (link: string, ...tips: Tip[]) => hear(link, { kind: 'have', tips, asks: [] })
/** What the log says of itself. */
const everything = (reply = false): Message => ({
  kind: 'summary',
  nodes: [log.summary()],
  reply,
})
const admitted = (stored = 0) => ({ stored, released: 0, awaits: [], full: false })
const runOf = (name: string, from: number) => ({
  session: session(name),
  from,
  opening: undefined,
  batches: [new Uint8Array(1)],
})
const hold = (...tips: Tip[]) => {
  for (const each of tips) log.set(each)
}
const store = (link: string, name: string, from: number, to: number) => {
  const run = runOf(name, from)
  const effects = hear(link, { kind: 'runs', runs: [run] })
  hold(tip(name, to))
  return [
    ...effects,
    ...give({ kind: 'admitted', link, outcomes: [{ run, result: admitted(to - from + 1) }] }),
  ]
}
const write = (name: string, from: number, to: number) => {
  hold(tip(name, to))
  return give({ kind: 'changed', own: range(name, from, to), others: 'all' })
}
const later = (ms: number) => {
  now += ms
  return give({ kind: 'tick' })
}
const sent = (effects: Effect[]): [string, Message][] =>
  effects.flatMap((each) => (each.kind === 'send' ? [[each.link, each.message]] : []))
const wantOf = (...ranges: ReturnType<typeof range>[]) => ({ kind: 'want', ranges })

const codes = Object.keys(errorKinds) as ErrorCode[]
/** Another peer is asked for it, and this one once from its beginning. */
const elsewhere: ErrorCode = 'broken-chain'

describe('a run that the log refuses', () => {
  const refuse = (code: ErrorCode): Effect[] => {
    const run = runOf('s', 1)
    hear('x', { kind: 'runs', runs: [run] })
    return give({ kind: 'admitted', link: 'x', outcomes: [{ run, result: code }] })
  }
  const isWanted = (name: string, effects: Effect[]): boolean =>
    sent(effects).some(
      ([, message]) =>
        message.kind === 'want' && message.ranges.some((each) => each.session === session(name)),
    )

  it('is requested again with pauses, if the catalogue allows it', () => {
    const faults: string[] = []
    for (const code of codes) {
      begin()
      connect('x')
      have('x', tip('s', 4))
      let wanted = 0
      let effects = refuse(code)
      for (let i = 0; i < 120; i++) {
        if (isWanted('s', effects)) {
          wanted += 1
          effects = refuse(code)
        } else effects = [...later(500), ...have('x', tip('s', 4))]
      }
      const isRight = canPass(code) && code !== elsewhere ? wanted > 1 && wanted < 80 : wanted === 0
      if (!isRight) faults.push(`${code}: wanted ${wanted} times`)
    }
    expect(faults).toEqual([])
  })

  it('delays other sessions at most until a failed store has had time to recover', () => {
    const faults: string[] = []
    // A peer that brings records of another space is shut out.
    for (const code of codes.filter((each) => each !== 'wrong-space')) {
      begin()
      connect('x')
      have('x', tip('s', 4))
      refuse(code)
      const isAtOnce = isWanted('t', have('x', tip('t', 2)))
      const isInTime = canPass(code) && isWanted('t', later(timing.storeFailure))
      if (!isAtOnce && !isInTime) faults.push(code)
    }
    expect(faults).toEqual([])
  })
})

describe('asking', () => {
  it('asks one peer for what it lacks, and nobody twice', () => {
    connect('x')
    connect('y')
    hold(tip('s', 3))
    expect(sent(have('x', tip('s', 9), tip('t', 2)))).toEqual([
      ['x', wantOf(range('s', 4, 9), range('t', 1, 2))],
    ])
    expect(sent(have('y', tip('s', 9), tip('t', 2)))).toEqual([])
  })

  it('asks for more when an answer has come and there is more by now', () => {
    connect('x')
    have('x', tip('s', 4))
    expect(sent(have('x', tip('s', 6)))).toEqual([])
    expect(sent(store('x', 's', 1, 2))).toEqual([])
    expect(sent(store('x', 's', 3, 4))).toEqual([['x', wantOf(range('s', 5, 6))]])
  })

  it('asks another peer when an answer does not come in time', () => {
    connect('x')
    connect('y')
    have('x', tip('s', 4))
    have('y', tip('s', 4))
    expect(sent(later(timing.want - 1))).toEqual([])
    expect(sent(later(1))).toEqual([['y', wantOf(range('s', 1, 4))]])
  })

  it('asks another peer at once when a link closes', () => {
    connect('x')
    connect('y')
    have('x', tip('s', 4))
    have('y', tip('s', 4))
    expect(sent(give({ kind: 'linkDown', link: 'x' }))).toEqual([['y', wantOf(range('s', 1, 4))]])
  })

  it('counts neither the time that the log takes nor a slow but steady answer as loss', () => {
    connect('x')
    connect('y')
    have('x', tip('s', 9))
    have('y', tip('s', 9))
    for (let seq = 1; seq <= 5; seq++) {
      expect(sent(later(timing.want - 1_000)).filter(([, { kind }]) => kind === 'want')).toEqual([])
      store('x', 's', seq, seq)
    }
    const run = runOf('s', 6)
    hear('x', { kind: 'runs', runs: [run] })
    expect(sent(later(3 * timing.want)).filter(([, { kind }]) => kind === 'want')).toEqual([])
  })

  it('waits longer each time when the only peer fails', () => {
    connect('x')
    have('x', tip('s', 4))
    const asked: number[] = []
    for (let i = 0; i < 240; i++) {
      if (sent(later(500)).some(([, { kind }]) => kind === 'want')) asked.push(now)
    }
    const pauses = asked.map((at, i) => at - (asked[i - 1] ?? 0))
    expect(pauses.length).toBeLessThan(7)
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
  })

  it('leaves it to the author to bring what somebody else tells first', () => {
    connect('author')
    connect('other')
    store('author', 's', 1, 1)
    expect(sent(have('other', tip('s', 2)))).toEqual([])
    store('author', 's', 2, 2)
    expect(sent(later(timing.grace))).not.toContainEqual(['other', expect.anything()])
    have('other', tip('s', 3))
    expect(sent(later(timing.grace))).toContainEqual(['other', wantOf(range('s', 3, 3))])
  })

  it('asks first for what that waits for which has come, also beyond what may be asked for at once', () => {
    connect('x')
    const most = limits.claimsPerLink
    have('x', ...Array.from({ length: most }, (_, i) => tip(`s${i}`, 1)))
    const run = runOf('s0', 1)
    hear('x', { kind: 'runs', runs: [run] })
    const result = { ...admitted(), awaits: [{ session: session('cause'), seq: 7 }], full: true }
    expect(sent(give({ kind: 'admitted', link: 'x', outcomes: [{ run, result }] }))).toEqual([
      ['x', wantOf(range('cause', 1, 7))],
    ])
  })

  it('asks for evidence once where two commits have one number, and never again for the session', () => {
    connect('x')
    hold(tip('s', 3))
    const other = { ...tip('s', 3), mark: '00'.repeat(16) }
    expect(sent(have('x', other))).toEqual([['x', wantOf(range('s', 3, 3))]])
    expect(sent(have('x', other))).toEqual([])
    const run = runOf('s', 3)
    hear('x', { kind: 'runs', runs: [run] })
    hold(forked('s', 3))
    give({ kind: 'admitted', link: 'x', outcomes: [{ run, result: admitted() }] })
    expect(sent(have('x', tip('s', 9)))).toEqual([])
    expect(hear('x', { kind: 'runs', runs: [runOf('s', 4)] })).toEqual([])
    expect(state.banned.size).toBe(0)
  })

  it('asks for the proof of a fork, and of an earlier one', () => {
    connect('x')
    hold(tip('s', 3))
    const proven = (name: string, seq: number, from: number) => {
      const run = { ...runOf(name, from), batches: [], fork: new Uint8Array(1) }
      hear('x', { kind: 'runs', runs: [run] })
      hold(forked(name, seq))
      return give({ kind: 'admitted', link: 'x', outcomes: [{ run, result: admitted() }] })
    }
    const late = forked('s', 9).seq
    expect(sent(have('x', forked('s', 9)))).toEqual([['x', wantOf(range('s', 4, late))]])
    expect(compare({ state }, state.links.get('x')!).behind).toBe(1)
    expect(sent(proven('s', 9, 4))).toEqual([])
    const early = forked('s', 5).seq
    expect(sent(have('x', forked('s', 5)))).toEqual([['x', wantOf(range('s', late + 1, early))]])
    expect(sent(proven('s', 5, 4))).toEqual([])
    expect(state.asks.size).toBe(0)
    expect(compare({ state }, state.links.get('x')!).behind).toBe(0)
  })

  it('does not offer the log a run that leaves a gap', () => {
    connect('x')
    hold(tip('s', 3))
    expect(hear('x', { kind: 'runs', runs: [runOf('s', 5)] })).toEqual([])
    expect(hear('x', { kind: 'runs', runs: [runOf('s', 4)] })).toEqual([
      { kind: 'admit', link: 'x', runs: [{ run: runOf('s', 4), asked: false }] },
    ])
  })

  it('takes note of what was stored though its link is gone', () => {
    connect('x')
    connect('y')
    have('x', tip('s', 4))
    have('y', tip('s', 6))
    const run = runOf('s', 1)
    hear('x', { kind: 'runs', runs: [run] })
    give({ kind: 'linkDown', link: 'x' })
    hold(tip('s', 4))
    give({ kind: 'admitted', link: 'x', outcomes: [{ run, result: admitted(4) }] })
    expect(state.asks.get(session('s'))?.link).toBe('y')
  })

  it('asks a peer for only so much at once, and for more when something has come', () => {
    connect('x')
    const tips = Array.from({ length: 2_000 }, (_, i) => tip(`s${i}`, 1))
    const [[, want]] = sent(have('x', ...tips)) as [[string, Message & { kind: 'want' }]]
    expect(want.ranges).toHaveLength(limits.claimsPerLink)
    expect(sent(have('x', tip('later', 1)))).toEqual([])
    store('x', 's0', 1, 1)
    expect(sent(have('x', tip('later', 1)))).toEqual([['x', wantOf(range('later', 1, 1))]])
  })
})

describe('comparing', () => {
  const devices = 400
  it.each([8, 40])(
    'looks below all nodes that differ, although it reads one list at a time: %i sessions of 400',
    (held) => {
      const remote = new TipTrie()
      for (let i = 0; i < devices; i++) remote.set(tip(`s${i}`, 1))
      hold(...Array.from({ length: held }, (_, i) => tip(`s${i}`, 1)))
      connect('x')
      const nodes = remote.children('')
      const answers = sent(hear('x', { kind: 'summary', nodes, reply: false }))
      const paths = answers.flatMap(([, message]) => {
        if (message.kind === 'summary') return message.nodes.map(({ path }) => path)
        if (message.kind === 'list') return [message.path]
        return message.kind === 'have' ? message.asks : []
      })
      expect(answers.filter(([, { kind }]) => kind === 'list')).toHaveLength(1)
      // What is below one node may wait for what is below another.
      const missed = nodes.filter(({ path }) => !paths.some((each) => each.startsWith(path)))
      expect(missed).toEqual([])
    },
  )
})

describe('a peer that does not send what it claims', () => {
  const repeat = (link: string, name: string) => {
    const run = runOf(name, 1)
    hear(link, { kind: 'runs', runs: [run] })
    return give({ kind: 'admitted', link, outcomes: [{ run, result: admitted() }] })
  }
  const wantsOf = (effects: Effect[], link: string) =>
    sent(effects).flatMap(([to, message]) =>
      to === link && message.kind === 'want' ? [...message.ranges] : [],
    )
  const misfit = (link: string, name: string, from: number) => {
    const run = runOf(name, from)
    hear(link, { kind: 'runs', runs: [run] })
    return give({ kind: 'admitted', link, outcomes: [{ run, result: 'broken-chain' }] })
  }

  it('cannot keep a session from being asked for elsewhere by repeating what is held', () => {
    connect('idle')
    connect('y')
    hold(tip('s', 5))
    have('idle', tip('s', 2 ** 50))
    have('y', tip('s', 10))
    const asked: number[] = []
    for (let i = 0; i < 10; i++) {
      const effects = [...later(1_000), ...repeat('idle', 's')]
      if (wantsOf(effects, 'y').length > 0) asked.push(now)
    }
    expect(asked).toEqual([timing.want])
  })

  it('a peer that claims more than it sends delays other peers once for long, and later by 500 ms at most, however often it connects', () => {
    connect('y')
    const waits: number[] = []
    for (let seq = 1; seq < 100; seq++) {
      if (seq % 10 === 1) {
        give({ kind: 'linkDown', link: 'liar' })
        connect('liar')
      }
      const name = `s${seq % 5}`
      have('liar', tip(name, 2 ** 40))
      let isAsked = wantsOf(have('y', tip(name, seq)), 'y').length > 0
      const since = now
      while (!isAsked) isAsked = wantsOf(later(50), 'y').length > 0
      waits.push(now - since)
      store('y', name, seq, seq)
      later(1_000)
    }
    const [first, ...others] = waits
    expect(first).toBe(timing.want)
    expect(Math.max(...others)).toBeLessThanOrEqual(timing.doubt)
  })

  it('a peer that has missed answers is asked after peers that hold the same, until it has sent as many answers as it has missed', () => {
    connect('x')
    connect('y')
    /** The peer that is asked for a session that both have, but x further. */
    const asked = (name: string): string[] => {
      state.pausedUntil = now + 1
      have('x', tip(name, 9))
      have('y', tip(name, 5))
      const effects = later(1)
      return ['x', 'y'].filter((link) => wantsOf(effects, link).length > 0)
    }
    expect(asked('s')).toEqual(['x'])
    later(timing.want)
    expect(asked('t')).toEqual(['y'])
    have('x', tip('alone', 5))
    store('x', 'alone', 1, 5)
    expect(asked('u')).toEqual(['x'])
  })

  it('a peer with a long invented frontier delays no other peer', () => {
    connect('idle')
    connect('y')
    have('idle', ...Array.from({ length: 5_000 }, (_, i) => tip(`made up ${i}`, 1)))
    expect(sent(have('y', tip('s', 4)))).toEqual([['y', wantOf(range('s', 1, 4))]])
    // What waits for room is not looked at with every message.
    expect(state.open.size).toBe(0)
  })

  it('is soon no longer asked, and the commits that it claims are no longer counted', () => {
    hold(tip('s', 1))
    connect('x')
    const asked: number[] = []
    have('x', tip('made up', 2 ** 50))
    const behind = () => compare({ state }, state.links.get('x')!).behind
    expect(behind()).toBe(2 ** 50)
    for (let i = 0; i < 60; i++) later(500)
    expect(behind()).toBe(0)
    for (let i = 0; i < 1_200; i++) {
      if (wantsOf(later(500), 'x').length > 0) asked.push(now)
    }
    expect(asked.length).toBeLessThan(timing.attempts)
    expect(behind()).toBe(0)
  })

  it('is soon not counted as ahead, whatever it claims and however long it goes on claiming', () => {
    const names = ['held', 'made up', 'other']
    const claim = fc.oneof(
      fc.record({
        name: fc.constantFrom(...names),
        seq: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(2 ** 50)),
        // A new session with every claim.
        isNew: fc.boolean(),
      }),
      fc.record({ name: fc.constantFrom(...names), forkedAt: fc.integer({ min: 1, max: 9 }) }),
    )
    const second = fc.record({
      claims: fc.array(claim, { maxLength: 4 }),
      reconnects: fc.integer({ min: 0, max: 19 }).map((luck) => luck === 0),
      commits: fc.option(fc.integer({ min: 1, max: 2 ** 40 })),
    })
    fc.assert(
      fc.property(fc.array(second, { minLength: 180, maxLength: 180 }), (seconds) => {
        begin()
        hold(tip('held', 3))
        connect('x')
        connect('honest')
        have('honest', tip('real', 5))
        const counted: number[] = []
        const honest: number[] = []
        for (const [at, { claims, reconnects, commits }] of seconds.entries()) {
          if (reconnects) {
            give({ kind: 'linkDown', link: 'x' })
            connect('x')
          }
          const tips = claims.map((each, i) =>
            'forkedAt' in each
              ? forked(each.name, each.forkedAt)
              : tip(each.isNew ? `${each.name} ${at} ${i}` : each.name, each.seq),
          )
          have('x', ...tips)
          const nodes = [{ path: '', sessions: 9, commits: commits ?? 0, digest: '07'.repeat(16) }]
          if (commits) hear('x', { kind: 'summary', nodes, reply: false })
          for (let i = 0; i < 4; i++) later(250)
          const behind = (link: string) => compare({ state }, state.links.get(link)!).behind
          counted.push(behind('x'))
          honest.push(behind('honest'))
        }
        expect(counted.slice(90)).toEqual(counted.slice(90).map(() => 0))
        expect(honest.slice(0, 4)).toEqual([5, 5, 5, 5])
      }),
      { numRuns: 20 },
    )
  })

  it('does not delay asking another peer', () => {
    connect('x')
    have('x', tip('s', 4))
    for (let i = 0; i < 300; i++) later(1_000)
    connect('y')
    expect(wantsOf(have('y', tip('s', 4)), 'y')).toEqual([range('s', 1, 4)])
  })

  it('is asked once from the beginning when a run does not match what is held', () => {
    connect('x')
    hold(tip('s', 2))
    have('x', tip('s', 3))
    expect(sent(misfit('x', 's', 3))).toEqual([['x', wantOf(range('s', 1, 3))]])
    expect(sent(misfit('x', 's', 3))).toEqual([])
    expect(wantsOf(later(60_000), 'x')).toEqual([])
    expect(state.banned.size).toBe(0)
  })

  it('is not shut out for what an author may have done, but for pushing it again and again', () => {
    connect('x')
    have('x', tip('s', 4))
    const forged = (name: string) => {
      const run = runOf(name, 1)
      hear('x', { kind: 'runs', runs: [run] })
      return give({ kind: 'admitted', link: 'x', outcomes: [{ run, result: 'bad-signature' }] })
    }
    expect(forged('s')).toEqual([])
    for (let i = 1; i < timing.refusals; i++) expect(forged(`s${i}`)).toEqual([])
    expect(forged('t')).toEqual([{ kind: 'disconnect', link: 'x', reason: 'bad-signature' }])
    expect(connect('x')).toEqual([{ kind: 'disconnect', link: 'x', reason: 'bad-signature' }])
    later(timing.ban)
    expect(sent(connect('x'))).toHaveLength(1)
  })

  it('is not shut out for runs that only a newer version can read, and is not asked for them again and again', () => {
    connect('x')
    for (let i = 0; i < 3 * timing.refusals; i++) {
      const run = runOf(`newer${i}`, 1)
      hear('x', { kind: 'runs', runs: [run] })
      const outcomes = [{ run, result: 'needs-update' as const }]
      const effects = give({ kind: 'admitted', link: 'x', outcomes })
      expect(effects.map(({ kind }) => kind)).not.toContain('disconnect')
    }
    have('x', tip('newer', 4))
    const run = runOf('newer', 1)
    hear('x', { kind: 'runs', runs: [run] })
    give({ kind: 'admitted', link: 'x', outcomes: [{ run, result: 'needs-update' }] })
    expect(wantsOf(later(timing.giveUp / 2), 'x')).toEqual([])
    // Other sessions are not delayed, and another peer is asked: it may hold another version.
    expect(sent(have('x', tip('s', 1)))).toEqual([['x', wantOf(range('s', 1, 1))]])
    expect(state.banned.size).toBe(0)
  })

  it('a peer that breaks rules is shut out for longer each time; after a time without violations, the time is short again', () => {
    const pauseAfter = (): number => {
      connect('x')
      give({ kind: 'violation', link: 'x', code: 'malformed' })
      const since = now
      while (sent(connect('x')).length === 0) later(1_000)
      return now - since
    }
    const pauses = Array.from({ length: 8 }, pauseAfter)
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 600, 600].map((seconds) => seconds * 1_000))
    later(timing.forgive + 600_000)
    expect(pauseAfter()).toBe(timing.ban)
  })

  describe('a device of which forks are proved', () => {
    let forks = 0
    beforeEach(() => {
      forks = 0
    })
    /** A run that `link` brings proves another fork of the device `x`. */
    const proven = (link: string) => {
      const name = `fork ${forks++}`
      const run = { ...runOf(name, 1), fork: new Uint8Array(1) }
      hear(link, { kind: 'runs', runs: [run] })
      hold(forked(name, 2))
      const result = { ...admitted(), forkedBy: idOf('x') as DeviceId }
      return give({ kind: 'admitted', link, outcomes: [{ run, result }] })
    }
    const refusal = { kind: 'disconnect', link: 'x', reason: 'fork' }

    it('a device is refused links after three proofs in an hour, for longer each time, no matter which peers bring the proofs', () => {
      connect('y')
      const pauses = Array.from({ length: 6 }, () => {
        connect('x')
        const effects: Effect[] = []
        for (let i = 0; i < 10 && state.links.has('x'); i++) effects.push(...proven('y'))
        expect(effects).toContainEqual(refusal)
        const since = now
        while (connect('x').some(({ kind }) => kind === 'disconnect')) later(10_000)
        return now - since
      })
      expect(forks).toBe(timing.forks + 5)
      expect(pauses).toEqual([60, 120, 240, 480, 600, 600].map((seconds) => seconds * 1_000))
      expect(state.links.has('y')).toBe(true)
    })

    it('a device is not refused links for two forks in an hour', () => {
      connect('x')
      connect('y')
      for (let hour = 0; hour < 3; hour++) {
        for (let i = 1; i < timing.forks; i++) proven('y')
        later(timing.forkMemory)
      }
      expect(state.links.has('x')).toBe(true)
    })

    it('the other sessions of a device that is refused links for its forks are accepted from other peers', () => {
      connect('x')
      connect('y')
      for (let i = 0; i < timing.forks; i++) proven('x')
      expect(state.links.has('x')).toBe(false)
      have('y', tip('other session of x', 3))
      later(1_000)
      expect([...state.asks.keys()]).toContain(session('other session of x'))
    })
  })

  it('only a bounded part of the claims of a peer is remembered', () => {
    connect('x')
    for (let i = 0; i < 20; i++) {
      have('x', ...Array.from({ length: 1_000 }, (_, j) => tip(`made up ${i} ${j}`, 1)))
    }
    expect(state.links.get('x')!.claims.size).toBe(limits.claimsPerLink)
  })

  it('claims that a peer repeats cause no further work', () => {
    connect('x')
    connect('y')
    const claims = Array.from({ length: 1_000 }, (_, i) => tip(`made up ${i}`, 1))
    have('x', ...claims)
    const looks = vi.spyOn(state.links, 'values')
    for (let i = 0; i < 20; i++) {
      have('x', ...claims.slice(0, 10))
      later(100)
    }
    expect(looks.mock.calls.length).toBeLessThan(200)
  })

  it('each claim of a message is looked up a few times, however many claims the peer has made before', () => {
    connect('x')
    const claims = (turn: number): Tip[] =>
      Array.from({ length: 1_000 }, (_, i) => tip(`made up ${turn} ${i}`, 1))
    have('x', ...claims(0))
    const looks = vi.spyOn(state.log, 'stored')
    have('x', ...claims(1))
    expect(looks.mock.calls.length).toBeLessThan(5_000)
  })

  it('claims to commits that the device has received since then make room for other claims', () => {
    connect('x')
    const claims = Array.from({ length: limits.claimsPerLink }, (_, i) => tip(`made up ${i}`, 1))
    have('x', ...claims)
    hold(claims[0]!)
    have('x', tip('another', 1))
    expect(state.links.get('x')!.claims.has(session('another'))).toBe(true)
  })

  it('is shut out for a record of another space', () => {
    connect('x')
    give({
      kind: 'admitted',
      link: 'x',
      outcomes: [{ run: runOf('s', 1), result: 'wrong-space' }],
    })
    expect(state.links.size).toBe(0)
  })
})

describe('telling', () => {
  it('tells a new link the summary of everything', () => {
    hold(tip('s', 3))
    expect(sent(connect('x'))).toEqual([['x', everything()]])
  })

  it('pushes own batches to whom has all before them, causes told first', () => {
    connect('x')
    connect('y')
    hold(tip('own', 4))
    give({ kind: 'changed', own: undefined, others: 'all' })
    have('x', tip('own', 4))
    hold(tip('cause', 1))
    expect(write('own', 5, 6)).toEqual([
      { kind: 'send', link: 'x', message: { kind: 'have', tips: [tip('cause', 1)], asks: [] } },
      { kind: 'push', link: 'x' },
      {
        kind: 'send',
        link: 'y',
        message: { kind: 'have', tips: expect.arrayContaining([tip('own', 6)]), asks: [] },
      },
    ])
    expect(write('own', 7, 7).filter(({ kind }) => kind === 'push')).toEqual([
      { kind: 'push', link: 'x' },
    ])
  })

  it('looks only at the sessions that have changed', () => {
    connect('x')
    hold(tip('s', 1), tip('t', 1))
    const change = (...others: SessionId[]) =>
      sent(give({ kind: 'changed', own: undefined, others }))
    expect(change(session('s'))).toEqual([['x', { kind: 'have', tips: [tip('s', 1)], asks: [] }]])
    expect(change()).toEqual([])
    expect(change(session('t'))).toEqual([['x', { kind: 'have', tips: [tip('t', 1)], asks: [] }]])
  })

  it('pushes every batch also when the log is ahead of what it reports', () => {
    connect('x')
    hold(tip('own', 1))
    give({ kind: 'changed', own: undefined, others: 'all' })
    have('x', tip('own', 1))
    hold(tip('own', 3))
    expect(give({ kind: 'changed', own: range('own', 2, 2), others: 'all' })).toContainEqual({
      kind: 'push',
      link: 'x',
    })
    expect(give({ kind: 'changed', own: range('own', 3, 3), others: 'all' })).toContainEqual({
      kind: 'push',
      link: 'x',
    })
  })

  it('sends the first batch with its opening, and what is written meanwhile after it', () => {
    connect('x')
    expect(write('own', 1, 1)).toEqual([{ kind: 'sendRange', link: 'x', ...range('own', 1, 1) }])
    expect(write('own', 2, 2)).toEqual([])
    expect(
      give({ kind: 'served', link: 'x', session: session('own'), to: 1, complete: true }),
    ).toEqual([{ kind: 'sendRange', link: 'x', ...range('own', 2, 2) }])
    give({ kind: 'served', link: 'x', session: session('own'), to: 2, complete: true })
    expect(write('own', 3, 3)).toEqual([{ kind: 'push', link: 'x' }])
  })

  it('pushes another session also while the first batch of the one before is on its way', () => {
    connect('x')
    write('own', 1, 1)
    expect(write('other', 1, 1)).toContainEqual({
      kind: 'sendRange',
      link: 'x',
      ...range('other', 1, 1),
    })
    give({ kind: 'served', link: 'x', session: session('own'), to: 1, complete: true })
    give({ kind: 'served', link: 'x', session: session('other'), to: 1, complete: true })
    expect(write('other', 2, 2)).toContainEqual({ kind: 'push', link: 'x' })
  })

  it('does not go on with a range that cannot be read', () => {
    connect('x')
    write('own', 1, 1)
    expect(
      give({ kind: 'served', link: 'x', session: session('own'), to: 0, complete: false }),
    ).toEqual([])
  })

  it('tells a congested link when it is free again, and pushes nothing to it', () => {
    connect('x')
    have('x', tip('own', 1))
    give({ kind: 'congestion', link: 'x', congested: true })
    hold(tip('own', 1))
    expect(sent(write('own', 2, 2))).toEqual([])
    expect(sent(give({ kind: 'congestion', link: 'x', congested: false }))).toEqual([
      ['x', { kind: 'have', tips: [tip('own', 2)], asks: [] }],
    ])
  })

  it('serves what it has delivered, and no more', () => {
    connect('x')
    hold(tip('s', 5))
    const ranges = [range('s', 2, 99), range('s', 6, 6), range('unknown', 1, 1)]
    expect(hear('x', { kind: 'want', ranges })).toEqual([
      { kind: 'sendRange', link: 'x', ...range('s', 2, 5) },
    ])
  })

  it('answers a question about what it holds, but not as often as a peer likes', () => {
    connect('x')
    now = 5_000
    expect(sent(hear('x', everything(true)))).toEqual([['x', everything()]])
    expect(sent(hear('x', everything(true)))).toEqual([])
    now += timing.reply
    expect(sent(hear('x', everything(true)))).toHaveLength(1)
  })
})

describe('announcements', () => {
  it('follow a change soon, and each other at the interval', () => {
    connect('x')
    hold(tip('s', 1))
    give({ kind: 'changed', own: undefined, others: 'all' })
    hold(tip('s', 2))
    give({ kind: 'changed', own: undefined, others: 'all' })
    const announced: number[] = []
    for (let i = 0; i < 300; i++) {
      if (later(100).some(({ kind }) => kind === 'announce')) announced.push(now)
    }
    expect(announced).toEqual([300, 10_300, 20_300])
  })

  it('are left out when somebody else has just said the same', () => {
    connect('x')
    hold(tip('s', 1))
    give({ kind: 'changed', own: undefined, others: 'all' })
    give({ kind: 'announced', content: { ...log.summary(), tips: [] } })
    expect(later(timing.announcementDelay).map(({ kind }) => kind)).not.toContain('announce')
  })

  it('of something unknown make it ask its links, not too often', () => {
    connect('x')
    now = 5_000
    const content = { commits: 1, digest: '07'.repeat(16), tips: [tip('s', 1)] }
    const announced = () => sent(give({ kind: 'announced', content }))
    expect(announced()).toEqual([['x', everything(true)]])
    expect(announced()).toEqual([])
  })
})

describe('determinism', () => {
  it('gives the same effects for the same inputs', () => {
    const play = () => {
      begin()
      return [
        connect('x'),
        have('x', tip('s', 4)),
        store('x', 's', 1, 4),
        write('own', 1, 1),
        later(900),
      ]
    }
    expect(play()).toEqual(play())
  })
})
