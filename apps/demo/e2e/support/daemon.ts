import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { test } from '@playwright/test'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const cli = join(root, 'packages/node/dist/cli.js')

/** A real anchor in its own process, serving the built demo. */
interface Daemon {
  /** Link that opens the demo and joins the anchor's space. */
  readonly link: string
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
}

/** The ports of a daemon; each file of tests has its own. */
interface Ports {
  readonly port: number
  readonly httpPort: number
}

/** Gives each test of a file an anchor with a folder of its own. */
export function daemonForEach(ports: Ports): Daemon & { start(): Promise<void> } {
  let data: string
  let running: Daemon
  const start = async (): Promise<void> => {
    running = await startDaemon(data, ports)
  }
  const kill = (): Promise<void> => running.kill()
  test.beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'peerplane-e2e-'))
    await start()
  })
  test.afterEach(async () => {
    await kill()
    rmSync(data, { recursive: true, force: true })
  })
  return {
    get link() {
      return running.link
    },
    kill,
    /** The same anchor, after it was killed. */
    start,
  }
}

async function startDaemon(data: string, { port, httpPort }: Ports): Promise<Daemon> {
  const page = join(root, 'apps/demo/dist')
  const args = ['up', '--anchor', '--json', '--serve', page, '--data', data]
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
