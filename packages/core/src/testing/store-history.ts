import fc from 'fast-check'
import { equalBytes, toHex } from '../bytes.ts'
import type { KeyRange, Store, StoreDurability, Write } from '../ports/store.ts'
import { all, anyKey, anyRange, anyWrite, applied, selected, written } from './store-model.ts'
import type { Pairs } from './store-model.ts'

/** One thing that is done to a store; nobody waits for it, except where a step says so. */
export type StoreStep =
  | { readonly write: readonly Write[]; readonly durability: StoreDurability }
  | { readonly scan: KeyRange }
  | { readonly get: Uint8Array }
  /** Waits until the latest write has resolved, or for other work of this turn only. */
  | { readonly wait: 'write' | 'turn' }

export const anyStep: fc.Arbitrary<StoreStep> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      write: fc.array(anyWrite, { maxLength: 5 }),
      durability: fc.constantFrom('local' as const, 'synced' as const),
    }),
  },
  fc.record({ scan: fc.oneof(fc.constant(all), anyRange) }),
  fc.record({ get: anyKey }),
  fc.record({ wait: fc.constantFrom('write' as const, 'turn' as const) }),
)

/** What a store may hold by what was asked of it: its content after each write, and how many of them must be seen. */
export class StoreHistory {
  readonly #contents: Pairs[]
  #acknowledged = 0
  #under: Promise<unknown>[] = []

  constructor(content: Pairs = []) {
    this.#contents = [content]
  }

  /** The content after all writes. */
  get latest(): Pairs {
    return this.#contents.at(-1)!
  }

  async take(store: Store, step: StoreStep): Promise<void> {
    if ('write' in step) this.#write(store, step.write, step.durability)
    else if ('scan' in step)
      this.#read(store.scan(step.scan).then(written), (content) =>
        written(selected(content, step.scan)),
      )
    else if ('get' in step)
      this.#read(
        store.get(step.get).then((value) => value && toHex(value)),
        (content) => valueOf(content, step.get),
      )
    else await (step.wait === 'write' ? this.#under.at(-1) : Promise.resolve())
  }

  /** Waits for everything; rejects when a read has shown what it should not. */
  async settle(): Promise<void> {
    await Promise.all(this.#under.splice(0))
  }

  /** After a crash: what may be left, from all that was acknowledged to all that was asked for. */
  possible(): readonly Pairs[] {
    return this.#contents.slice(this.#acknowledged)
  }

  #write(store: Store, writes: readonly Write[], durability: StoreDurability): void {
    const number = this.#contents.push(writes.reduce(applied, this.latest)) - 1
    const written = store.write(writes, durability).then(() => {
      // Writes take effect in the order of their calls: a read that sees this one sees those before it.
      this.#acknowledged = Math.max(this.#acknowledged, number)
    })
    this.#under.push(written)
  }

  #read(reading: Promise<string | undefined>, pick: (content: Pairs) => string | undefined): void {
    const least = this.#acknowledged
    const checked = reading.then((found) => {
      const allowed = this.#contents.slice(least).map(pick)
      if (!allowed.includes(found))
        throw new Error(`a read gave ${found}, and not one of ${allowed.join('; ')}`)
    })
    // A failure is for `settle` to report, not for the runtime.
    checked.catch(() => undefined)
    this.#under.push(checked)
  }
}

function valueOf(content: Pairs, key: Uint8Array): string | undefined {
  const entry = content.find((each) => equalBytes(each.key, key))
  return entry && toHex(entry.value)
}
