import type { DeviceId, SpaceId } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { statusText } from './text.ts'
import type { DaemonStatus } from './text.ts'

const well: DaemonStatus = {
  name: 'tally',
  space: 'ab'.repeat(32) as SpaceId,
  device: 'cd'.repeat(32) as DeviceId,
  membership: 'founded',
  storage: 'ok',
  commits: 7,
  lost: 0,
  waiting: 0,
  forks: 0,
  contradicted: 0,
  unreadable: 0,
  void: 0,
  deleted: 0,
  pendingCommands: 0,
  undone: 0,
  online: false,
  peers: [],
  network: undefined,
  addresses: [],
  lastError: undefined,
  clockDoubt: undefined,
}

describe('the status for people', () => {
  it('names the space, and nothing wrong where nothing is', () => {
    const text = statusText(well)
    expect(text).toMatch(/^space +tally, (ab){32}\n/)
    expect(text).not.toContain('wrong')
  })

  it.each<[Partial<DaemonStatus>, string]>([
    [{ storage: 'failing' }, 'The storage fails'],
    [{ undone: 2 }, 'Since the start, 2 commands were acknowledged and then undone'],
    [{ waiting: 3 }, '3 commits are stored but not shown yet'],
    [{ waiting: 1 }, '1 commit is stored but not shown yet'],
    [{ unreadable: 2 }, '2 sessions stop before a commit that cannot be read here'],
    [{ contradicted: 1 }, '1 session depends on a different version'],
    [{ forks: 1 }, '1 session is forked'],
    [{ void: 4 }, 'Since the start, 4 commits have had no effect'],
    [{ clockDoubt: 'this program was made later' }, 'seems wrong: this program was made later.'],
    [{ lastError: { code: 'unreachable', message: 'Nobody answers.' } }, 'unreachable: Nobody'],
  ])('says what is wrong: %j', (change, problem) => {
    const [, wrong] = /\nwrong +(.+)\n/.exec(statusText({ ...well, ...change })) ?? []
    expect(wrong).toContain(problem)
  })
})
