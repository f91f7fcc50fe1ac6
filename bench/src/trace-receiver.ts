import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

import { open } from '@peerplane/node'

import { Paper } from './trace-paper.ts'
import type { ReceiverReport } from './trace-recording.ts'

const [invitation, data, last] = process.argv.slice(2)
const sockets = new Set<Socket>()
subscribe('net.client.socket', (message) => {
  sockets.add((message as { socket: Socket }).socket)
})
const wireBytes = (): number =>
  [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0)

const plane = await open({ entities: [Paper], data: data!, join: invitation!, listen: [] })
const shown: [number, string][] = []
const tell = (report: ReceiverReport): void => void process.send!(report)

plane.get(Paper, 'paper').subscribe(({ text, keystrokes }) => {
  shown.push([keystrokes, process.hrtime.bigint().toString()])
  if (keystrokes < Number(last)) return
  tell({ kind: 'done', text, shown, wireBytes: wireBytes() })
  void plane.close().then(() => process.disconnect())
})
const stop = plane.onStatus(({ peers }) => {
  if (peers.length === 0) return
  queueMicrotask(() => stop())
  tell({ kind: 'ready' })
})
