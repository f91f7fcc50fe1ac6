// npm run crash -- [--runs 100] [--seed 1]: kill -9 in the middle of writes; the acknowledgements are kept by this process.
// npm run crash -- --trace: one run under strace; every acknowledgement must follow a flush that began after its command.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { readArguments } from './arguments.ts'
import { mulberry } from './mulberry.ts'

const ACKS_PER_RUN = 50
const writer = fileURLToPath(new URL('crash-writer.ts', import.meta.url))

const USAGE = `usage: npm run crash -- [--runs 100] [--seed 1]
       npm run crash -- --trace    one run under strace`

const { values } = await readArguments(USAGE, {
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'peerplane-crash-'))
try {
  const failures = values.trace
    ? traceFlushes(folder)
    : await kill(Number(values.runs), Number(values.seed))
  process.exitCode = failures === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function kill(runs: number, seed: number): Promise<number> {
  const random = mulberry(seed)
  let acknowledged = 0
  let lost = 0
  let least = Number.POSITIVE_INFINITY
  let previous = new Set<string>()
  for (let run = 0; run <= runs; run++) {
    const child = spawn(
      process.execPath,
      ['--conditions=@peerplane/source', writer, join(folder, 'data'), String(run)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const acks = new Set<string>()
    const extra = Math.floor(random() * 40)
    const killAfterMs = random() * 20
    for await (const line of lines(child)) {
      const [word, value] = line.split(' ')
      if (word === 'held') {
        const held = new Set(JSON.parse(value!) as string[])
        for (const ack of previous) if (!held.has(ack)) lost++
        if (run === runs) child.kill('SIGKILL')
      }
      if (word === 'ack' && run < runs) acks.add(value!)
      if (acks.size === ACKS_PER_RUN + extra) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    }
    if (run < runs) least = Math.min(least, acks.size)
    acknowledged += acks.size
    previous = acks
  }
  console.log(JSON.stringify({ runs, seed, acknowledged, leastInARun: least, lost }))
  return lost + (least < ACKS_PER_RUN ? 1 : 0)
}

function traceFlushes(directory: string): number {
  const prefix = join(directory, 'trace')
  const { status, stderr } = spawnSync(
    'strace',
    ['-ff', '-ttt', '-e', 'trace=write,fsync,fdatasync', '-s', '40', '-o', prefix].concat([
      process.execPath,
      '--conditions=@peerplane/source',
      writer,
      join(directory, 'data'),
      '0',
      '200',
    ]),
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`strace ended with ${status}: ${stderr || 'is it installed?'}`)
  const events = readdirSync(directory)
    .filter((name) => name.startsWith('trace.'))
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .map(parseEvent)
    .filter((event) => event !== undefined)
    .sort((a, b) => a.at - b.at)
  const calledAt = new Map<string, number>()
  let lastFlush = 0
  let acknowledged = 0
  let unflushed = 0
  for (const { at, kind, id } of events) {
    if (kind === 'flush') lastFlush = at
    else if (kind === 'call') calledAt.set(id, at)
    else {
      acknowledged++
      if (!(lastFlush > calledAt.get(id)!)) unflushed++
    }
  }
  const flushes = events.filter(({ kind }) => kind === 'flush').length
  console.log(JSON.stringify({ acknowledged, flushes, acknowledgedWithoutFlush: unflushed }))
  return unflushed + (acknowledged === 0 ? 1 : 0)
}

function parseEvent(
  line: string,
): { at: number; kind: 'flush' | 'call' | 'ack'; id: string } | undefined {
  const at = Number(line.split(' ', 1)[0])
  if (/ f(data)?sync\(\d+\)\s+= 0/.test(line)) return { at, kind: 'flush', id: '' }
  const [, kind, id] = /write\(1, "(call|ack) ([\w-]+)/.exec(line) ?? []
  return kind ? { at, kind: kind as 'call' | 'ack', id: id! } : undefined
}

async function* lines(child: ChildProcess): AsyncIterable<string> {
  let rest = ''
  for await (const chunk of child.stdout!) {
    const parts = (rest + String(chunk)).split('\n')
    rest = parts.pop()!
    yield* parts
  }
}
