// npm run bench -- rows, npm run sim -- --seeds 10, npm run format:
// installs if needed, then runs a TypeScript file or an installed command with the pinned Node. Options before the file are for Node.
import { install, run, useToolchain } from './toolchain.mjs'

const given = process.argv.slice(2)
const at = given.findIndex((each) => !each.startsWith('-'))
const [target, ...args] = at < 0 ? [] : given.slice(at)
if (!target)
  throw new Error('usage: node scripts/run.mjs [options] <file.ts | command> [arguments]')

install()
useToolchain()
process.exitCode = target.endsWith('.ts')
  ? await run('node', [...given.slice(0, at), '--conditions=@peerplane/source', target, ...args])
  : await run(target, args)
