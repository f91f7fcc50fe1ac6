import { expect, test } from 'vitest'

import { VirtualTime } from './testing/index.ts'
import { Timers } from './timers.ts'

test('runs what was asked for, and not what was cancelled', async () => {
  const time = new VirtualTime()
  const timers = new Timers(time.scheduler)
  const ran: string[] = []
  timers.after(1, () => ran.push('kept'))
  timers.after(1, () => ran.push('cancelled'))()
  await time.pass(20)
  expect(ran).toEqual(['kept'])
})

test('runs nothing once it has stopped, neither what waits nor what is asked for then', async () => {
  const time = new VirtualTime()
  const timers = new Timers(time.scheduler)
  const ran: string[] = []
  timers.after(1, () => ran.push('before'))
  timers.stop()
  timers.after(1, () => ran.push('after'))
  await time.pass(20)
  expect(ran).toEqual([])
})
