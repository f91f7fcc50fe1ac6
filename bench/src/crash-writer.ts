// Writes until it is killed. Tells what the run before left, then each command when it is called and when it is acknowledged.
import { writeSync } from 'node:fs'

import { entity, open, set } from '@peerplane/node'

const Ledger = entity('ledger', {
  state: set<string>(),
  commands: { add: (ledger, entry: string) => ledger.add(entry) },
})

const WRITERS = 4
const [data, run, limit] = process.argv.slice(2)
const plane = await open({ entities: [Ledger], data: data!, network: false })
const before = await plane.get(Ledger, String(Number(run) - 1)).state()
say(`held ${JSON.stringify(before)}`)
const ledger = plane.get(Ledger, run!)
let next = 0

await Promise.all(Array.from({ length: WRITERS }, write))
await plane.close()

async function write(): Promise<void> {
  while (next < Number(limit ?? 'Infinity')) {
    const entry = `${run}-${next++}`
    say(`call ${entry}`)
    await ledger.add(entry)
    say(`ack ${entry}`)
  }
}

/** Writes at once and in order, so that it reports only what has happened. It waits for a full pipe. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
