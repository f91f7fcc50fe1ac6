import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const cli = join(root, 'packages/node/dist/cli.js')

/** A real anchor in its own process, serving the built demo. */
export interface Daemon {
  /** Link that opens the demo and joins the anchor's space. */
  readonly link: string
  readonly data: string
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
}

/** Starts an anchor; on the same data and ports again it is the same anchor after a restart. */
export async function startDaemon(options: {
  data: string
  port: number
  httpPort: number
}): Promise<Daemon> {
  const args = [
    'up',
    '--anchor',
    '--json',
    '--serve',
    join(root, 'apps/demo/dist'),
    '--data',
    options.data,
  ]
  const ports = ['--port', options.port, '--http-port', options.httpPort, '--tcp-port', 0].map(
    String,
  )
  const child = spawn(process.execPath, [cli, ...args, ...ports], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { url } = await readyLine(child)
  return {
    link: url,
    data: options.data,
    kill: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve()
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}

/** A folder for the data of one test, and what removes it. */
export function dataFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'peerplane-e2e-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function readyLine(child: ChildProcess): Promise<{ url: string }> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)))
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const line = text.slice(0, text.indexOf('\n'))
      if (line) resolve(JSON.parse(line) as { url: string })
    })
  })
}
