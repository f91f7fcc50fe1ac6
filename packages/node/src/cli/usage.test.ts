import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { main } from './main.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
const before = process.cwd()
const output = vi.spyOn(console, 'log')
const errors = vi.spyOn(console, 'error')

beforeEach(() => {
  process.chdir(mkdtempSync(join(root, 'run-')))
  writeFileSync('file', 'x')
  for (const stream of [output, errors]) stream.mockReset().mockReturnValue(undefined)
})
afterEach(() => process.chdir(before))
afterAll(() => rmSync(root, { recursive: true }))

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What is in the working directory afterwards: at first, one file. */
  readonly left: readonly string[]
}

async function run(args: readonly string[]): Promise<Ended> {
  const code = await main(args)
  const [stdout, stderr] = [output, errors].map(({ mock }) =>
    mock.calls.map((each) => `${each.join(' ')}\n`).join(''),
  ) as [string, string]
  return { code, stdout, stderr, left: readdirSync('.') }
}

const line = (...args: string[]): string => args.join(' ')
const cases = (text: string): string[] => (text === '' ? [] : text.split(' '))

describe('every command answers on standard output', () => {
  it.each([
    [line(), 'peerplane up '],
    [line('help'), 'peerplane invite '],
    [line('--help'), 'peerplane status '],
    [line('-h'), 'Exit codes:'],
    [line('up', '--help'), 'peerplane up [FLAGS]: run a daemon'],
    [line('up', '-h', '--frobnicate'), 'PEERPLANE_TCP_PORT'],
    [line('invite', '--help'), '--trust-clock'],
    [line('status', '-h'), 'peerplane status [FLAGS]'],
    [line('version', '--help'), 'peerplane version: '],
    [line('help', '--help'), 'peerplane help [COMMAND]'],
    [line('help', 'up'), '--tcp-port PORT'],
    [line('help', 'invite'), '--hours N'],
    [line('help', 'conformance'), 'peerplane conformance [ADDRESS] [FLAGS]'],
  ])('peerplane %s', async (args, text) => {
    const ended = await run(cases(args))
    expect(ended).toMatchObject({ code: 0, stderr: '', left: ['file'] })
    expect(ended.stdout).toContain(text)
  })

  it.each(['version', '--version', '-v'])('peerplane %s', async (args) => {
    const ended = await run([args])
    expect(ended).toMatchObject({ code: 0, stderr: '', left: ['file'] })
    expect(ended.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('what is wrong is said on standard error, with what to do, and nothing is left behind', () => {
  const helps = (command: string): string => `"peerplane help ${command}" prints the usage.`

  it.each<[args: string, problem: string, advice: string]>([
    // No such command; the nearest only if it is near.
    ['frobnicate', 'there is no command "frobnicate".', '"peerplane help" lists all commands.'],
    ['frobnicate --help', 'there is no command "frobnicate".', '"peerplane help" lists'],
    ['invte', 'there is no command "invte".', 'Try "peerplane invite"'],
    ['help stauts', 'there is no command "stauts".', 'Try "peerplane status"'],
    // An unknown flag.
    ['up --frobnicate', '--frobnicate is unknown to "peerplane up".', helps('up')],
    ['up --prot 7', '--prot is unknown to "peerplane up"; the nearest known flag is --port.', ''],
    ['up --hours 7', '--hours is unknown to "peerplane up".', helps('up')],
    ['invite --frobnicate', '--frobnicate is unknown to "peerplane invite".', helps('invite')],
    ['invite --port 7', '--port is unknown to "peerplane invite".', helps('invite')],
    ['invite --hour 1', 'the nearest known flag is --hours.', helps('invite')],
    ['status --frobnicate', '--frobnicate is unknown to "peerplane status".', helps('status')],
    ['status -x', '-x is unknown to "peerplane status".', helps('status')],
    ['version --json', '--json is unknown to "peerplane version".', helps('version')],
    // A value that is missing, or not wanted.
    ['up --port', '--port needs a value: --port PORT.', helps('up')],
    ['up --data --anchor', '--data needs a value: --data DIR.', helps('up')],
    ['up --anchor=yes', '--anchor takes no value.', helps('up')],
    ['invite --hours', '--hours needs a value: --hours N.', helps('invite')],
    ['invite --data --hours 1', '--data needs a value: --data DIR.', helps('invite')],
    ['status --space', '--space needs a value: --space NAME.', helps('status')],
    ['status --json=1', '--json takes no value.', helps('status')],
    // Twice.
    ['up --port 1 --port 2', '--port is given twice.', helps('up')],
    ['up --anchor --anchor', '--anchor is given twice.', helps('up')],
    ['invite --hours 1 --hours 1', '--hours is given twice.', helps('invite')],
    ['status --json --json', '--json is given twice.', helps('status')],
    // An unexpected argument.
    ['up now', 'unexpected argument "now".', helps('up')],
    ['invite Ada', 'unexpected argument "Ada".', helps('invite')],
    ['status -- --json', 'unexpected argument "--json".', helps('status')],
    ['version 2', 'unexpected argument "2".', helps('version')],
    ['help up invite', 'unexpected argument "invite".', helps('help')],
    // A wrong value.
    ['up --port http', '--port must be a number from 0 to 65535, not "http".', 'Correct the key'],
    ['up --tcp-port 65536', '--tcp-port must be a number from 0 to 65535', ''],
    ['up --host nowhere', '--host must be an IP address, not "nowhere".', ''],
    ['up --host 203.0.113.7', 'this machine cannot listen at 203.0.113.7', 'an address of this'],
    [
      'up --page nowhere',
      '--page must be a URL that begins with http: or https:, not "nowhere".',
      '',
    ],
    ['up --announce nowhere', '"nowhere" is not a multiaddress.', 'Write it like /ip4/'],
    ['up --serve nowhere', 'there is no directory nowhere to serve.', 'or correct --serve.'],
    ['up --serve file', 'there is no directory file to serve.', 'or correct --serve.'],
    ['up --data file', 'because a file stands in its way.', 'Choose another data directory'],
    ['up --space ..', 'a space cannot be called "..".', ''],
    ['up --config nowhere', 'there is no file nowhere.', ''],
    ['up --config file', 'file is not JSON', ''],
    ['invite --hours soon', '--hours must be a number above 0, at most 720, not "soon".', ''],
    ['invite --hours 0', '--hours must be a number above 0', helps('invite')],
    ['invite --hours -1', '--hours must be a number above 0', helps('invite')],
    ['invite --hours 1e300', '--hours must be a number above 0', helps('invite')],
    ['invite --config file', 'file is not JSON', ''],
    ['status --space ..', 'a space cannot be called "..".', ''],
    ['conformance', '--invitation is missing.', helps('conformance')],
    ['conformance nowhere --invitation x', '"nowhere" is not a multiaddress.', 'Write it like'],
    ['conformance --invitation x --only R-RUN', 'the nearest known rule is R-RUN-', ''],
  ])('peerplane %s', async (args, problem, advice) => {
    const ended = await run(cases(args))
    expect(ended).toMatchObject({ code: 2, stdout: '', left: ['file'] })
    expect(ended.stderr).toMatch(/^peerplane: invalid-configuration: .+\n$/)
    expect(ended.stderr).toContain(problem)
    expect(ended.stderr).toContain(advice)
  })

  it.each(['garbage', 'pp1.AAAA', 'https://a.example/#join=pp1.x'])(
    'peerplane up --join %s',
    async (link) => {
      const ended = await run(['up', '--join', link])
      expect(ended).toMatchObject({ code: 2, stdout: '', left: ['file'] })
      expect(ended.stderr).toMatch(
        /^peerplane: invalid-invitation: .*Copy the whole invitation link again/,
      )
    },
  )

  it.each(['invite', 'status', 'invite --hours 720', 'status --json'])(
    'peerplane %s, without a daemon',
    async (args) => {
      const ended = await run(cases(args))
      expect(ended).toMatchObject({ code: 4, stdout: '', left: ['file'] })
      expect(ended.stderr).toBe(
        'peerplane: no daemon runs for space "default" in .peerplane. Start one with "peerplane up", or name its --data and --space.\n',
      )
    },
  )
})
