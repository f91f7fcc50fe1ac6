import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** The variable that names the fault of a daemon. */
export const FAULT = 'PLANTED_FAULT'

const program = fileURLToPath(new URL('../../../packages/node/src/cli.ts', import.meta.url))
const planted = import.meta.resolve('./planted.ts')
const PORTS = ['--port', '0', '--tcp-port', '0', '--http-port', '0']

/** What the command says of a rule. */
export interface Judged {
  readonly rule: string
  readonly result: string
  readonly reason?: string
}

/** Starts a daemon with a fault, and resolves to the rules that the command finds broken; with `only`, it checks this rule alone. */
export async function brokenBy(fault: string, only?: string): Promise<readonly Judged[]> {
  const folder = mkdtempSync(join(tmpdir(), 'peerplane-fault-'))
  const args = ['up', '--json', '--anchor', '--log', 'off', ...PORTS]
  const daemon = start(folder, ['--import', planted], args, { [FAULT]: fault })
  try {
    const ready = createInterface(daemon.stdout!)
    await Promise.race([once(ready, 'line'), ended(daemon, `the daemon with the fault "${fault}"`)])
    const invitation = (await said(start(folder, [], ['invite']))).trim()
    const rules = only === undefined ? [] : ['--only', only]
    const check = start(folder, [], ['conformance', '--invitation', invitation, '--json', ...rules])
    const answer = await said(check)
    const { rules: all } = JSON.parse(answer) as { readonly rules: readonly Judged[] }
    return all.filter(({ result }) => result === 'broken')
  } finally {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
    }
    rmSync(folder, { recursive: true })
  }
}

function start(
  cwd: string,
  flags: readonly string[],
  args: readonly string[],
  variables: Record<string, string> = {},
): ChildProcess {
  return spawn(process.execPath, [...flags, '--conditions=@peerplane/source', program, ...args], {
    cwd,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** What a process prints until it ends. Rejects with its errors if it prints nothing. */
async function said(child: ChildProcess): Promise<string> {
  const [out, errors] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  if (out === '') throw new Error(errors)
  return out
}

async function ended(child: ChildProcess, what: string): Promise<never> {
  const errors = await text(child.stderr!)
  throw new Error(`${what} ended: ${errors}`)
}
