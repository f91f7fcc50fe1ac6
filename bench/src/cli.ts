// npm run bench -- <name>: prints figures as JSON; exits non-zero when a comparison that must hold does not.
import { benchDocument } from './document.ts'
import { benchRows } from './rows/rows.ts'
import { benchSessions } from './sessions/sessions.ts'
import { benchTrace } from './trace.ts'

const benches: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  document: benchDocument,
  rows: benchRows,
  sessions: benchSessions,
  trace: benchTrace,
}

const bench = benches[process.argv[2] ?? '']
if (bench) {
  process.exitCode = await bench(process.argv.slice(3))
} else {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join(' | ')}`)
  process.exitCode = 2
}
