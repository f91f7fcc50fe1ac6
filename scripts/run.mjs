// npm run bench -- rows, npm run sim -- --seeds 10, npm run format:
// installs if needed, then runs a TypeScript file or an installed command with the pinned Node.
import { install, run, useToolchain } from './toolchain.mjs'

const [target, ...args] = process.argv.slice(2)
if (!target) throw new Error('usage: node scripts/run.mjs <file.ts | command> [arguments]')

install()
useToolchain()
process.exitCode = target.endsWith('.ts')
  ? await run('node', ['--conditions=source', target, ...args])
  : await run(target, args)
