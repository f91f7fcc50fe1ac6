import { connect } from 'node:net'

const PATIENCE_MS = 10_000

/** Asks a daemon over its control socket, as `peerplane status` does. Resolves with its first answer; `undefined` if none comes. */
export function askControl(
  path: string,
  kind: 'ask' | 'watch',
  operation: string,
): Promise<{ readonly kind: string; readonly value: unknown } | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    let answer = ''
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    socket.on('data', (bytes) => {
      answer += String(bytes)
      if (answer.includes('\n')) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      const [line, end] = answer.split('\n')
      resolve(end === undefined ? undefined : JSON.parse(line!))
    })
    socket.write(`${JSON.stringify({ kind, id: 0, operation, given: [] })}\n`)
  })
}
