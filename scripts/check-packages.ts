// Every published package must hold what its manifest promises.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const broken = readdirSync('packages').filter((name) => !publishable(`packages/${name}`))
if (broken.length > 0) {
  console.error(`Not publishable: ${broken.join(', ')}`)
  process.exitCode = 1
}

function publishable(folder: string): boolean {
  const args = ['run', '--strict', '--pack', 'npm', folder]
  return spawnSync('publint', args, { stdio: 'inherit' }).status === 0
}
