import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

import type { Coding } from './coding.ts'

/**
 * Compressed copies of files. Each version of a file is compressed once, one file at a time, off the main thread; the copies that were asked
 * for last are kept, up to `capacity` bytes.
 */
export class CompressedFiles {
  readonly #capacity: number
  /** The one that was asked for last stands last. */
  readonly #kept = new Map<string, Uint8Array>()
  readonly #pending = new Map<string, Promise<Uint8Array>>()
  #bytes = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The file at `path`, whose content is named by `version`. Rejects as reading does. */
  async get(path: string, version: string, coding: Compression): Promise<Uint8Array> {
    const key = `${coding} ${version} ${path}`
    const kept = this.#kept.get(key)
    if (!kept) return this.#pending.get(key) ?? this.#make(key, path, coding)
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    return kept
  }

  #make(key: string, path: string, coding: Compression): Promise<Uint8Array> {
    const body = this.#last.then(async () => {
      try {
        const made = await compress[coding](await readFile(path))
        this.#keep(key, made)
        return made
      } finally {
        this.#pending.delete(key)
      }
    })
    this.#pending.set(key, body)
    // Ignored: the caller has it; the next file is compressed anyway.
    this.#last = body.catch(() => undefined)
    return body
  }

  #keep(key: string, made: Uint8Array): void {
    this.#kept.set(key, made)
    this.#bytes += made.length
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= this.#capacity) return
      this.#kept.delete(oldest)
      this.#bytes -= length
    }
  }
}

type Compression = Exclude<Coding, 'identity'>

const [inGzip, inBrotli] = [promisify(gzip), promisify(brotliCompress)]

const compress = {
  gzip: (content: Uint8Array): Promise<Uint8Array> => inGzip(content),
  // At 5 it is smaller than gzip at its best, and takes a quarter of a second for 3.6 MB of WebAssembly.
  br: (content: Uint8Array): Promise<Uint8Array> =>
    inBrotli(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 5,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
}
