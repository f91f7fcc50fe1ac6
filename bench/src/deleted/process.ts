// One process of the benchmark: opens the store in a directory, lists, writes, and says how long each took.
import { open } from '@peerplane/node'

import { Item } from './item.ts'

const [data] = process.argv.slice(2) as [string]

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

let last = performance.now()
const cpuBefore = cpuMs()
/** Milliseconds since the last call. */
const lap = (): number => {
  const before = last
  last = performance.now()
  return last - before
}

const plane = await open({ entities: [Item], data, network: false })
const openMs = lap()
const openCpuMs = cpuMs() - cpuBefore
const rows = await plane.list(Item)
const listMs = lap()
await plane.get(Item, 'new').write('new')
const writeMs = lap()
const again = await plane.list(Item)
const secondListMs = lap()
await plane.get(Item, 'new').remove(null)
const { deleted } = plane.status()!
process.send!({
  rows: rows.length,
  afterWrite: again.length,
  deleted,
  openMs,
  openCpuMs,
  listMs,
  writeMs,
  secondListMs,
  memoryMiB: process.memoryUsage().rss / 2 ** 20,
})
await plane.close()
process.disconnect()
