import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const cli = join(root, 'packages/node/dist/cli.js')

/** A real anchor in its own process, serving the built demo. */
export interface TestDaemon {
  /** Link that opens the demo and joins the anchor's space. */
  readonly link: string
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
}

/** The ports of a daemon; each file of tests has its own. */
export interface TestPorts {
  readonly port: number
  readonly httpPort: number
}

/** Starts an anchor; on the same data and ports again it is the same anchor after a restart. */
export async function startDaemon(
  data: string,
  { port, httpPort }: TestPorts,
): Promise<TestDaemon> {
  const page = join(root, 'apps/demo/dist')
  const args = ['up', '--anchor', '--json', '--log', 'warn', '--serve', page, '--data', data]
  const ports = ['--port', port, '--http-port', httpPort, '--tcp-port', 0].map(String)
  const child = spawn(process.execPath, [cli, ...args, ...ports], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { url } = await readyLine(child)
  return {
    link: url,
    kill: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve()
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
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
