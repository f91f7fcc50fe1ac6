import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'

import { PeerplaneError, type Witness } from '@peerplane/core'

/** The witness of a store, in a file beside it. A note costs some microseconds: the system has it then, and brings it to the disk in its own time. */
export class FileWitness implements Witness {
  readonly #path: string
  #file: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  async read(): Promise<Uint8Array> {
    try {
      return readFileSync(this.#path)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array(0)
      throw new PeerplaneError('store-failed', `${this.#path} could not be read`, { cause })
    }
  }

  async add(bytes: Uint8Array): Promise<void> {
    writeSync(this.#opened(), bytes)
  }

  async replace(bytes: Uint8Array): Promise<void> {
    ftruncateSync(this.#opened())
    writeSync(this.#opened(), bytes)
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #opened(): number {
    this.#file ??= openSync(this.#path, 'a', 0o600)
    return this.#file
  }
}
