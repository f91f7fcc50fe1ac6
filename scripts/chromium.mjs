import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Flags for every Chromium that tests start: no sandbox, no traffic of its own. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/**
 * A Chromium of this machine: the one `CHROMIUM` names, else the first one on PATH.
 * @returns {string | undefined}
 */
export function findChromium() {
  const named = process.env['CHROMIUM']
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM names ${named}, which does not exist`)
    return named
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync)
}

/**
 * Launch options for Playwright; without an installed browser it takes its own download.
 * @returns {{ args: string[], executablePath?: string }}
 */
export function launchOptions() {
  const executablePath = findChromium()
  return executablePath ? { args: CHROMIUM_ARGS, executablePath } : { args: CHROMIUM_ARGS }
}

/**
 * Make sure that a Chromium exists: an installed one, Playwright's own, or Debian's package when
 * root. Throws with what to do when there is no way.
 * @returns {string} path of the executable
 */
export function ensureChromium() {
  return findChromium() ?? downloadedByPlaywright() ?? installedFromDebian() ?? giveUp()
}

/** @returns {string | undefined} */
function downloadedByPlaywright() {
  console.log('No Chromium found; trying the download of Playwright')
  run('npx', ['--no-install', 'playwright', 'install', 'chromium'], 180_000)
  const asked = spawnSync(
    'node',
    ['-e', "import('playwright').then((p) => console.log(p.chromium.executablePath()))"],
    { encoding: 'utf8' },
  )
  const path = asked.stdout?.trim()
  return path && existsSync(path) ? path : undefined
}

/** @returns {string | undefined} */
function installedFromDebian() {
  const root = process.getuid?.() === 0
  if (!root || !existsSync('/usr/bin/apt-get')) return undefined
  console.log("Installing Debian's package chromium")
  process.env['DEBIAN_FRONTEND'] = 'noninteractive'
  run('apt-get', ['update', '-qq'], 300_000)
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], 900_000)
  return findChromium()
}

/** @param {string} command @param {string[]} args @param {number} timeout */
function run(command, args, timeout) {
  spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout,
    killSignal: 'SIGKILL',
  })
}

/** @returns {never} */
function giveUp() {
  throw new Error(
    'The tests need a Chromium and none could be found or installed. ' +
      'Install Chromium or Chrome, or set CHROMIUM to the path of its executable.',
  )
}
