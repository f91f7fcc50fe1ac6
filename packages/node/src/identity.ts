import { open, link, readFile, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

import { asPeerplaneError, fromHex, PeerplaneError, toHex } from '@peerplane/core'
import type { Crypto, Random, SigningKey } from '@peerplane/core'

/**
 * The key whose seed is in the file at `path`, which is made if there is none: 64 hex digits, readable by its owner only, on the disk before
 * this resolves. Its directory must exist.
 *
 * Rejects with `exposed-secret` when other users can read the file, `store-corrupt` when it is no seed, `store-failed` otherwise.
 */
export async function openIdentity(
  path: string,
  ports: { readonly crypto: Crypto; readonly random: Random },
): Promise<SigningKey> {
  try {
    const seed = (await readSeed(path)) ?? (await createSeed(path, ports.random.bytes(32)))
    return await ports.crypto.keyFromSeed(seed)
  } catch (cause) {
    throw asPeerplaneError(cause, 'store-failed')
  }
}

async function readSeed(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (!file) return undefined
  try {
    // Asked of the open file, so that nobody can exchange it in between.
    const { mode } = await file.stat()
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8)
      throw new PeerplaneError('exposed-secret', `${path} has mode ${shown}, not 600`)
    }
    const text = (await readFile(file, 'latin1')).trim()
    if (/^[0-9a-f]{64}$/.test(text)) return fromHex(text)
    throw new PeerplaneError('store-corrupt', `${path} does not hold a key`)
  } finally {
    await file.close()
  }
}

/** Written beside its place and linked to it when it is complete: a crash leaves a whole file or none. */
async function createSeed(path: string, seed: Uint8Array): Promise<Uint8Array> {
  const draft = `${path}.new`
  await unlink(draft).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error
  })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${toHex(seed)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await link(draft, path)
  await unlink(draft)
  await syncDirectory(dirname(path))
  return seed
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  (error as { readonly code?: unknown }).code === code
