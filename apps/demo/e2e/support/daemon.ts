import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const cli = join(root, 'packages/node/dist/cli.js')

/** A real anchor in its own process, serving the built demo. */
export interface TestDaemon {
  /** Link that opens the demo and joins the anchor's space. */
  readonly link: string
  /** The ports it has. */
  readonly ports: TestPorts
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
}

/** The ports of a daemon; 0 is any that is free. */
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
  const { url, addresses } = await readyLine(child)
  return {
    link: url,
    ports: {
      port: Number(/\/tcp\/(\d+)\/ws$/m.exec(addresses.join('\n'))![1]),
      httpPort: Number(new URL(url).port),
    },
    kill: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve()
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}

/** What a daemon says when it is ready. */
interface Ready {
  readonly url: string
  readonly addresses: readonly string[]
}

function readyLine(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('exit', (code) => reject(new Error(`the daemon ended with ${code}`)))
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const line = text.slice(0, text.indexOf('\n'))
      if (line) resolve(JSON.parse(line) as Ready)
    })
  })
}
