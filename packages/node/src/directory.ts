import { mkdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'

import { describe, PeerplaneError, utf8 } from '@peerplane/core'

/** Where the files of one plane are. */
export interface PlaneFiles {
  readonly directory: string
  readonly store: string
  /** Socket of the daemon that runs here. */
  readonly control: string
}

/** The files of the plane `space` below `data`. Throws `invalid-configuration` for a name or a path that cannot be used. */
export function planeFiles(data: string, space: string): PlaneFiles {
  // Half of a surrogate pair cannot be encoded.
  const name = space.isWellFormed() ? encodeURIComponent(space) : ''
  if (name === '' || name.startsWith('.') || name.length > 200) {
    throw new PeerplaneError('invalid-configuration', `a space cannot be called ${describe(space)}`)
  }
  if (!data.isWellFormed() || data.includes('\0')) {
    throw new PeerplaneError('invalid-configuration', `no directory can be ${describe(data)}`)
  }
  const directory = resolve(data, name)
  return {
    directory,
    store: join(directory, 'store.db'),
    control: socketPath(join(directory, 'control.sock')),
  }
}

/** Makes the directory, for its owner only. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    const { code, message } = cause as NodeJS.ErrnoException
    const inTheWay = code === 'EEXIST' || code === 'ENOTDIR'
    const what = inTheWay
      ? `the data directory ${path} cannot be made, because a file stands in its way`
      : `the data directory cannot be made: ${message}`
    throw new PeerplaneError(inTheWay ? 'invalid-configuration' : fileCode(code), what, {
      cause,
      advice:
        code === 'ENOSPC'
          ? undefined
          : 'Choose another data directory, or let this user write there.',
    })
  })
}

/** Bytes in the address of a Unix domain socket, on the system that gives the fewest. */
const SOCKET_PATH_BYTES = 103

function socketPath(absolute: string): string {
  const near = relative('', absolute)
  const path = near.length < absolute.length ? near : absolute
  if (utf8(path).length <= SOCKET_PATH_BYTES) return path
  const reason = `the path ${path} is longer than the ${SOCKET_PATH_BYTES} bytes of a socket address`
  throw new PeerplaneError('invalid-configuration', reason)
}

const fileCode = (code: string | undefined): 'store-full' | 'store-failed' =>
  code === 'ENOSPC' || code === 'EDQUOT' ? 'store-full' : 'store-failed'
