import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Everything here runs on Node 18 without any dependency: it is what brings the rest.

/** The folder of the checkout. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

const STAMP = join(ROOT, 'node_modules', '.installed')

/** Install what the lockfile says; does nothing while the lockfile and manifests are unchanged. */
export function install() {
  const wanted = fingerprint()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  console.log(`Installing with ${packageManager}`)
  const args = ['--yes', packageManager, 'install', '--frozen-lockfile']
  const { status, error } = spawnSync('npx', args, { cwd: ROOT, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) throw new Error(`The installation failed (exit code ${status})`)
  writeFileSync(STAMP, wanted)
}

/** Put the pinned Node and the installed commands first on PATH, for this process's children. */
export function useToolchain() {
  process.env['PATH'] = [join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter)
}

/**
 * Run a command in the checkout with its output on this terminal.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env] added to the environment
 * @returns {Promise<number>} exit code; 1 when it died of a signal or could not start
 */
export function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    })
    // The terminal sends its signals to the child too; wait for the child to end in order.
    const stop = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal)
    const wait = () => {}
    process.on('SIGTERM', stop).on('SIGINT', wait)
    const end = (/** @type {number} */ code) => {
      process.off('SIGTERM', stop).off('SIGINT', wait)
      resolve(code)
    }
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`)
      end(1)
    })
    child.on('exit', (code) => end(code ?? 1))
  })
}

/** @returns {string} */
function fingerprint() {
  const hash = createHash('sha256')
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']) {
    hash.update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}
