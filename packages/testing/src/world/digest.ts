/**
 * A running digest of all that happens in a simulation. Two runs with equal digests have done the same things in the same order; it is a
 * checksum (two lanes of FNV-1a with different multipliers), not a cryptographic hash.
 */
export class Digest {
  #a = 0x811c9dc5
  #b = 0x2f9be6cc
  #events = 0

  /** Adds one event: what, when, and the bytes it carries. */
  add(what: string, time: number, payload?: Uint8Array): void {
    this.#events++
    for (let i = 0; i < what.length; i++) this.#mix(what.charCodeAt(i))
    this.#word(Math.floor(time * 1000))
    if (payload) this.#bytes(payload)
  }

  /** Events so far. */
  get events(): number {
    return this.#events
  }

  /** 16 hex digits. */
  hex(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('')
  }

  /** Four bytes at a time. */
  #bytes(payload: Uint8Array): void {
    const whole = payload.length & ~3
    for (let i = 0; i < whole; i += 4) {
      this.#mix(
        payload[i]! | (payload[i + 1]! << 8) | (payload[i + 2]! << 16) | (payload[i + 3]! << 24),
      )
    }
    for (let i = whole; i < payload.length; i++) this.#mix(payload[i]!)
  }

  #word(value: number): void {
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) this.#mix(rest % 256)
  }

  /** Takes in up to 32 bits. */
  #mix(bits: number): void {
    this.#a = Math.imul(this.#a ^ bits, 0x01000193)
    this.#a ^= this.#a >>> 13
    this.#b = Math.imul(this.#b ^ bits, 0x5bd1e995)
    this.#b ^= this.#b >>> 15
  }
}
