import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Message, ReportKind, Reports } from './reports.ts'
import { LIVE } from './workload.ts'

/** The figures of one peer in one run. */
export type Figures = Readonly<Record<string, number>>

/** One run of one peer, each step in fresh processes: write, open again, serve a fresh peer, live updates. */
export async function runPeer(name: string, entities: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), `peerplane-rows-${name}-`))
  const [writer, reader] = ['writer', 'reader'].map((each) => join(folder, each)) as [
    string,
    string,
  ]
  mkdirSync(writer)
  mkdirSync(reader)
  const start = (role: string, data: string, ...rest: string[]): ChildProcess =>
    fork(new URL('process.ts', import.meta.url), [role, name, data, String(entities), ...rest])
  try {
    const written = await alone(start('write', writer), 'written')
    const { bytes: diskBytes, files } = sizeOf(writer)
    const opened = await alone(start('open', writer), 'opened')
    const { caughtUp, live } = await together(
      () => start('serve', writer),
      (address) => start('follow', reader, address),
    )
    return {
      writesPerSecond: (entities * 4) / written.seconds,
      writeSeconds: written.seconds,
      writeCpuSeconds: written.cpuSeconds,
      writePeakMiB: written.peakMiB,
      diskBytes,
      files,
      openMs: opened.openMs,
      firstMs: opened.firstMs,
      listMs: opened.listMs,
      catchUpVisibleSeconds: caughtUp.visibleSeconds,
      catchUpDurableSeconds: caughtUp.durableSeconds,
      catchUpCpuSeconds: caughtUp.cpuSeconds,
      catchUpPeakMiB: caughtUp.peakMiB,
      catchUpWireBytes: caughtUp.wireBytes,
      ...live,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function together(
  startServer: () => ChildProcess,
  startReader: (address: string) => ChildProcess,
): Promise<{ caughtUp: Reports['caughtUp']; live: Figures }> {
  const server = startServer()
  try {
    const { address } = await report(server, 'serving')
    const reader = startReader(address)
    try {
      const [caughtUp] = await Promise.all([report(reader, 'caughtUp'), report(reader, 'watching')])
      const done = Promise.all([report(server, 'called'), report(reader, 'seen')])
      server.send('live')
      const [called, seen] = await done
      return { caughtUp, live: latencies(called.at, seen.at) }
    } finally {
      await stop(reader)
    }
  } finally {
    await stop(server)
  }
}

/** From the call to the callback in the other process. */
function latencies(called: readonly string[], seen: readonly string[]): Figures {
  const all = called.map((at, number) => Number(BigInt(seen[number]!) - BigInt(at)) / 1e6)
  all.sort((a, b) => a - b)
  const at = (share: number): number => all[Math.floor(share * (LIVE.updates - 1))]!
  return { liveP50Ms: at(0.5), liveP95Ms: at(0.95), liveP99Ms: at(0.99) }
}

async function alone<Kind extends ReportKind>(
  child: ChildProcess,
  kind: Kind,
): Promise<Reports[Kind]> {
  try {
    return await report(child, kind)
  } finally {
    await stop(child)
  }
}

/** Ends it cleanly, or by force after a while. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}

/** Longer than any step of any peer, milliseconds. */
const PATIENCE_MS = 180_000

function report<Kind extends ReportKind>(child: ChildProcess, kind: Kind): Promise<Reports[Kind]> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`waited for "${kind}": ${why}`))
    const timer = setTimeout(() => fail('it took too long'), PATIENCE_MS)
    const onMessage = (message: unknown): void => {
      if ((message as Message).kind !== kind) return
      child.off('message', onMessage)
      clearTimeout(timer)
      resolve((message as Message<Kind>).report)
    }
    child.on('message', onMessage)
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(`the process ended with ${code}`)
    })
  })
}

function sizeOf(folder: string): { bytes: number; files: number } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
  return { bytes: files.reduce((sum, size) => sum + size, 0), files: files.length }
}
