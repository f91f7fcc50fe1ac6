import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import { buildPackages, succeed } from './build.ts'

/** A package as it would be published. */
export interface Packed {
  /** Its folder in `packages`. */
  readonly folder: string
  readonly tarball: string
}

/**
 * Builds and packs every package into an empty temporary folder, as `pnpm publish` does: versions in place of `workspace:` and `catalog:`.
 * The folder is removed when `use` has ended.
 */
export async function withPacked(use: (packed: Packed[]) => Promise<void>): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'packed-'))
  try {
    buildPackages()
    const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'))
    const every = ['--recursive', '--filter', './packages/*']
    succeed('npx', ['--yes', packageManager, ...every, 'pack', '--pack-destination', place])
    const packed = globSync('packages/*').map((path) => {
      const folder = basename(path)
      const { name, version } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
      const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
      return { folder, tarball: join(place, file) }
    })
    await use(packed)
  } finally {
    rmSync(place, { recursive: true })
  }
}
