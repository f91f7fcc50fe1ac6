// Loaded into a process before its program (`node --import`): measures it from inside and answers its parent.
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { countListeners } from './listeners.ts'
import type { Needs } from './measured.ts'

const SAMPLE_MS = 100

const listeners = countListeners()

const blocked = monitorEventLoopDelay({ resolution: 10 })
blocked.enable()
let most = now()

setInterval(() => {
  const next = now()
  most = {
    memory: Math.max(next.memory, most.memory),
    handles: Math.max(next.handles, most.handles),
  }
}, SAMPLE_MS).unref()

process.on('message', (message) => {
  if (message !== 'needs') return
  const last = now()
  const needs: Needs = {
    memory: Math.max(last.memory, most.memory),
    handles: Math.max(last.handles, most.handles),
    blocked: blocked.max / 1e6,
    held: held(),
    listeners: listeners(),
  }
  most = now()
  blocked.reset()
  process.send?.({ needs })
})
// The channel must not keep a finished program alive.
process.channel?.unref()

function now(): Pick<Needs, 'memory' | 'handles'> {
  return { memory: memory(), handles: handles() }
}

function memory(): number {
  try {
    return process.memoryUsage.rss()
  } catch {
    // No file can be opened: the highest value so far is the answer.
    return process.resourceUsage().maxRSS * 1024
  }
}

/** Of this process: all open files and sockets where the system tells, otherwise those that Node waits for. */
function handles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return process.getActiveResourcesInfo().length
  }
}

function held(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}
