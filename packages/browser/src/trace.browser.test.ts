import { expect, it } from 'vitest'

import { counter, entity, open, record, type TraceName } from './index.ts'

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

it('a plane tells its trace what it does, in the tab that leads and in one that follows', async () => {
  const told: Record<'leader' | 'follower', TraceName[]> = { leader: [], follower: [] }
  const space = `trace ${crypto.randomUUID()}`
  const openTab = (tab: keyof typeof told): ReturnType<typeof open> =>
    open({ entities: [Tally], space, network: false, trace: (name) => told[tab].push(name) })
  const leader = await openTab('leader')
  const follower = await openTab('follower')
  await follower.get(Tally, 'a').vote()
  const called: TraceName[] = ['command.called', 'store.wrote', 'commits.stored', 'command.settled']
  expect(told.leader).toEqual(expect.arrayContaining(['tab.leads', 'plane.opened', ...called]))
  expect(told.follower).toEqual(['tab.follows'])
  await leader.close()
  await follower.get(Tally, 'a').vote()
  expect(told.follower).toEqual(expect.arrayContaining(['tab.leads', ...called]))
  await follower.close()
})
