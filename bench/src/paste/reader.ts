import { createHash } from 'node:crypto'

import { open } from '@peerplane/node'

import { Paper, watchPauses } from './paper.ts'
import type { ReaderReport, ToReader } from './paste.ts'

const [invitation, data] = process.argv.slice(2)
const pauses = watchPauses()
const plane = await open({ entities: [Paper], data: data!, join: invitation!, listen: [] })
const paper = plane.get(Paper, 'paper')
const tell = (report: ReaderReport): void => void process.send!(report)
let text = ''
let awaited: number | undefined
let cpu = process.cpuUsage()

const look = (): void => {
  if (text.length !== awaited) return
  awaited = undefined
  const { user, system } = process.cpuUsage(cpu)
  const digest = createHash('sha256').update(text).digest('hex')
  tell({ kind: 'shown', digest, pauseMs: pauses(), cpuSeconds: (user + system) / 1e6 })
}

paper.subscribe((state) => {
  if (text === '') tell({ kind: 'ready' })
  text = state.text
  look()
})

process.on('message', (message: ToReader) => {
  if (message.kind === 'stop') return void plane.close().then(() => process.disconnect())
  if (message.kind === 'type') return void type(message.keys)
  awaited = message.length
  look()
})

/** Types a key every 50 milliseconds. */
async function type(keys: string): Promise<void> {
  pauses()
  cpu = process.cpuUsage()
  for (const key of keys) {
    await paper.press(key)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  tell({ kind: 'typed' })
}
