/**
 * A running digest of all that happens in a simulation. Two runs with equal digests have done the same things in the same order; it is a
 * checksum (two lanes of FNV-1a with different multipliers), not a cryptographic hash.
 */
export class Trace {
  #a = 0x811c9dc5
  #b = 0x2f9be6cc
  #events = 0

  /** Adds one event: what, when, and the bytes it carries. */
  add(what: string, time: number, payload?: Uint8Array): void {
    this.#events++
    for (let i = 0; i < what.length; i++) this.#byte(what.charCodeAt(i))
    this.#word(Math.floor(time * 1000))
    if (payload) for (const byte of payload) this.#byte(byte)
  }

  /** Events so far. */
  get events(): number {
    return this.#events
  }

  /** 16 hex digits. */
  digest(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #word(value: number): void {
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) this.#byte(rest % 256)
  }

  #byte(byte: number): void {
    this.#a = Math.imul(this.#a ^ byte, 0x01000193)
    this.#b = Math.imul(this.#b ^ byte, 0x5bd1e995)
    this.#b ^= this.#b >>> 15
  }
}
