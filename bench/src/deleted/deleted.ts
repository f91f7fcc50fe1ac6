import { fork } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'

import { open } from '@peerplane/node'

import { readArguments } from '../arguments.ts'
import { Item } from './item.ts'

/** So many commands are on their way at a time. */
const AT_ONCE = 1_000

/** What a process of the benchmark says. */
interface Report {
  readonly rows: number
  readonly afterWrite: number
  readonly deleted: number
  readonly openMs: number
  readonly openCpuMs: number
  readonly listMs: number
  readonly writeMs: number
  readonly secondListMs: number
  readonly memoryMiB: number
}

const TIMES = ['openMs', 'openCpuMs', 'listMs', 'writeMs', 'secondListMs', 'memoryMiB'] as const

/**
 * Entities that were created and deleted: what they cost afterwards. A store in which all were deleted is opened, listed and written to, alternately
 * with a new store that never had them, each time in a new process. Prints medians.
 */
export async function benchDeleted(args: readonly string[]): Promise<number> {
  const { values } = await readArguments(
    'usage: npm run bench -- deleted [--entities 100000] [--runs 9]',
    {
      args: [...args],
      options: {
        entities: { type: 'string', default: '100000' },
        runs: { type: 'string', default: '9' },
      },
    },
  )
  const [entities, runs] = [Number(values.entities), Number(values.runs)]
  const folder = mkdtempSync(join(tmpdir(), 'peerplane-deleted-'))
  const [full, fresh] = [join(folder, 'deleted'), join(folder, 'fresh')]
  try {
    const seconds = await fill(full, entities)
    await fill(fresh, 1)
    const reports: { readonly deleted: Report[]; readonly fresh: Report[] } = {
      deleted: [],
      fresh: [],
    }
    for (let run = 0; run < runs; run++) {
      reports.deleted.push(await measure(full))
      reports.fresh.push(await measure(fresh))
    }
    const deleted = medians(reports.deleted)
    const isEmpty = reports.deleted.every(({ rows, afterWrite }) => rows === 0 && afterWrite === 1)
    const counts = reports.deleted.map((each) => each.deleted)
    console.log(
      JSON.stringify(
        {
          machine: `${availableParallelism()} cores, Node ${process.versions.node}`,
          load: loadavg()[0],
          entities,
          runs,
          ...seconds,
          isEmpty,
          counted: counts,
          bytesOnDisk: bytesOf(full),
          deleted,
          fresh: medians(reports.fresh),
        },
        null,
        2,
      ),
    )
    return isEmpty && counts.every((count) => count >= entities) ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Creates and deletes so many entities in a new store. */
async function fill(data: string, entities: number): Promise<object> {
  const plane = await open({ entities: [Item], data, network: false })
  const createSeconds = await timed(entities, (id) => plane.get(Item, id).write(id))
  const deleteSeconds = await timed(entities, (id) => plane.get(Item, id).remove(null))
  await plane.close()
  return { createSeconds, deleteSeconds }
}

async function timed(entities: number, command: (id: string) => Promise<unknown>): Promise<number> {
  const started = performance.now()
  for (let from = 0; from < entities; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, entities - from)
    await Promise.all(Array.from({ length: count }, (_, i) => command(`item ${from + i}`)))
  }
  return Math.round(performance.now() - started) / 1_000
}

function measure(data: string): Promise<Report> {
  const child = fork(new URL('process.ts', import.meta.url), [data])
  return new Promise((resolve, reject) => {
    child.once('message', (report) => child.once('exit', () => resolve(report as Report)))
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`a process of the benchmark ended with ${code}`))
    })
  })
}

function medians(reports: readonly Report[]): object {
  return Object.fromEntries(
    TIMES.map((name) => {
      const sorted = reports.map((each) => each[name]).sort((a, b) => a - b)
      return [name, Math.round(10 * sorted[sorted.length >> 1]!) / 10]
    }),
  )
}

const bytesOf = (data: string): number =>
  readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0)
