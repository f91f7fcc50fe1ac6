import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

import { limits, PeerplaneError, utf8 } from '@peerplane/core'
import { anyArguments, isData } from '@peerplane/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { resolveConfig, settings } from '../config.ts'
import { commandHelp, type CommandHelp } from './commands.ts'
import { main } from './main.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
const work = join(root, 'a', 'work')
const before = process.cwd()
vi.spyOn(console, 'log').mockReturnValue(undefined)
const errors = vi.spyOn(console, 'error')

beforeAll(() => {
  mkdirSync(work, { recursive: true })
  process.chdir(work)
})
beforeEach(() => void errors.mockReset().mockReturnValue(undefined))
afterAll(() => {
  process.chdir(before)
  rmSync(root, { recursive: true })
})

const texts =
  `0 1 -1 1.5 1e300 NaN Infinity 0x10 65536 a .. ../.. / [] {} null true ,, __proto__ 💥`
    .split(' ')
    .concat('', ' ', 'a\0b', 'a\ud800', 'x'.repeat(5000))

const never = (): boolean => false
const either = (): undefined => undefined
const isPort = (text: string): boolean => text === '0' || text === '1'
const isListOfNone = (text: string): boolean => /^,*$/.test(text)

/** Which of the texts each flag takes; `undefined` where both would do. */
const takes: Readonly<Record<string, (text: string) => boolean | undefined>> = {
  announce: isListOfNone,
  config: never,
  data: (text) => (/^$|\0|\ud800/.test(text) ? false : undefined),
  host: never,
  hours: (text) => Number(text) > 0 && Number(text) <= limits.invitationHours,
  'http-port': isPort,
  invitation: never,
  join: never,
  log: never,
  'log-format': never,
  only: never,
  page: never,
  port: isPort,
  proxies: isListOfNone,
  serve: (text) => ['..', '../..', '/'].includes(text),
  space: either,
  'tcp-port': isPort,
}

/** What is looked at last. With it nothing is started. */
const NO_HOST = '203.0.113.7'

async function isTaken(command: string, flag: string, text: string): Promise<boolean> {
  const stop = command === 'up' && flag !== 'host' ? ['--host', NO_HOST] : []
  const code = await main([command, `--${flag}=${text}`, ...stop])
  const said = errors.mock.calls.join('\n')
  if (code === 4 || said.includes(`cannot listen at ${NO_HOST}`)) return true
  expect(said).toMatch(/^peerplane: invalid-(configuration|invitation): /)
  expect(code).toBe(2)
  return false
}

const flagsOf = (command: CommandHelp): string[] =>
  Object.entries(command.flags)
    .filter(([, { argument }]) => argument !== undefined)
    .map(([flag]) => flag)

const commands = Object.entries<CommandHelp>(commandHelp)
const cases = commands.flatMap(([name, command]) =>
  flagsOf(command).flatMap((flag) => texts.map((text) => [name, flag, text] as const)),
)

describe('the values of flags', () => {
  it('the table of values has a row for each flag with a value', () => {
    const flags = new Set(commands.flatMap(([, command]) => flagsOf(command)))
    expect(Object.keys(takes).sort()).toEqual([...flags].sort())
  })

  it.each(cases)(
    'a value of a flag is accepted, or refused without creating anything: peerplane %s --%s=%s',
    async (command, flag, text) => {
      const taken = await isTaken(command, flag, text)
      expect(takes[flag]!(text) ?? taken).toBe(taken)
      expect(readdirSync('.')).toEqual([])
    },
  )
})

it.each(Object.keys(settings))(
  'every value in a configuration file is accepted, or refused with a code: %s',
  (name) => {
    for (const [, value] of anyArguments.filter(([, each]) => isData(each))) {
      expect(['taken', 'invalid-configuration']).toContain(cameOf({ [name]: value }))
    }
  },
)

/** `taken`, or the code of the error; another failure is thrown. */
function cameOf(given: object): string {
  const file = { path: 'peerplane.json', bytes: utf8(JSON.stringify(given)) }
  try {
    resolveConfig({ flags: {}, environment: {}, file })
    return 'taken'
  } catch (error) {
    if (error instanceof PeerplaneError) return error.code
    throw error
  }
}
