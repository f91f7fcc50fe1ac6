// npm run bench -- <name>: prints figures as JSON; exits non-zero when a comparison that must hold does not.
import { benchDeleted } from './deleted/deleted.ts'
import { benchDocument } from './document.ts'
import { benchMigrations } from './migrations.ts'
import { benchPaste } from './paste/paste.ts'
import { benchReconcile } from './reconcile/reconcile.ts'
import { benchRows } from './rows/rows.ts'
import { benchSessions } from './sessions/sessions.ts'
import { benchSpaces } from './spaces.ts'
import { benchText } from './text.ts'
import { benchTrace } from './trace.ts'
import { benchTraces } from './traces/traces.ts'

const benches: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  deleted: benchDeleted,
  document: benchDocument,
  migrations: benchMigrations,
  paste: benchPaste,
  reconcile: benchReconcile,
  rows: benchRows,
  sessions: benchSessions,
  spaces: benchSpaces,
  text: benchText,
  trace: benchTrace,
  traces: benchTraces,
}

const USAGE = `usage: npm run bench -- ${Object.keys(benches).join(' | ')}`

const [name = '', ...args] = process.argv.slice(2)
const bench = benches[name]
if (bench) {
  process.exitCode = await bench(args)
} else if (name === '--help') {
  console.log(USAGE)
} else {
  console.error(USAGE)
  process.exitCode = 2
}
