import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

import { readArguments } from '../arguments.ts'
import { fill } from './fill.ts'

/** The figures of one log. */
type Figures = Readonly<Record<string, number | boolean>>

/**
 * Sessions: what the number of sessions costs. A device has begun many, of one commit each; another one joins, catches up, and sees its live
 * writes. Processor time per write is without what the process uses at rest.
 */
export async function benchSessions(args: readonly string[]): Promise<number> {
  const usage = 'usage: npm run bench -- sessions [--sessions 10,1000,10000] [--chained true,false]'
  const { values } = await readArguments(usage, {
    args: [...args],
    options: {
      sessions: { type: 'string', default: '10,1000,10000' },
      chained: { type: 'string', default: 'true,false' },
    },
  })
  const counts = values.sessions.split(',').map(Number)
  const results: Figures[] = []
  for (const chained of values.chained.split(',').map((each) => each === 'true')) {
    for (const sessions of counts) {
      results.push(await measure(sessions, chained))
      console.error(JSON.stringify(results.at(-1)))
    }
  }
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}`
  console.log(JSON.stringify({ machine, results }, null, 2))
  return 0
}

async function measure(sessions: number, chained: boolean): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'peerplane-sessions-'))
  const [author, reader] = [join(folder, 'author'), join(folder, 'reader')]
  const commits = sessions + 1
  const processes: ChildProcess[] = []
  const start = (...role: string[]): ChildProcess => {
    const child = fork(new URL('process.ts', import.meta.url), role)
    processes.push(child)
    return child
  }
  try {
    await fill(
      author,
      Array.from({ length: sessions }, () => 1),
      chained,
    )
    const server = start('serve', author, String(commits))
    const { openMs, address } = await report<{ openMs: number; address: string }>(server)
    const follower = start('follow', reader, String(commits), address)
    const caughtUp = await report<{ catchUpSeconds: number }>(follower)
    const live = Promise.all([
      report<{ msPerWrite: number }>(server),
      report<{ msPerWrite: number; idleBytesPerMinute: number }>(follower),
    ])
    for (const child of processes) child.send('live')
    const [wrote, saw] = await live
    for (const child of processes) child.kill('SIGKILL')
    const { secondOpenMs } = await report<{ secondOpenMs: number }>(start('reopen', reader))
    return {
      sessions,
      chained,
      openMs,
      ...caughtUp,
      authorMsPerWrite: wrote.msPerWrite,
      receiverMsPerWrite: saw.msPerWrite,
      idleBytesPerMinute: saw.idleBytesPerMinute,
      secondOpenMs,
    }
  } finally {
    for (const child of processes) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

function report<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T))
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}
