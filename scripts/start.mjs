// npm start: install, build, then run an anchor that serves the demo.
import { install, run, useToolchain } from './toolchain.mjs'

/** @type {[string, string[]][]} */
const BUILD = [
  ['tsc', ['-b', 'packages/node', 'packages/browser']],
  ['vite', ['build', '--logLevel', 'warn', 'apps/demo']],
]
const ANCHOR = ['packages/node/dist/cli.js', 'up', '--anchor', '--serve', 'apps/demo/dist']

install()
useToolchain()
process.exitCode = await start()

/** @returns {Promise<number>} */
async function start() {
  console.log('Building')
  for (const [command, args] of BUILD) {
    const code = await run(command, args)
    if (code !== 0) return code
  }
  return run('node', [...ANCHOR, ...process.argv.slice(2)])
}
