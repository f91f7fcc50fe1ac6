// npm run example, npm run example -- mine: runs examples/src/<name>.ts.
import { install, run, useToolchain } from './toolchain.mjs'

const [name = 'hello', ...args] = process.argv.slice(2)
install()
useToolchain()
process.exitCode = await run('node', [
  '--conditions=@peerplane/source',
  `examples/src/${name}.ts`,
  ...args,
])
