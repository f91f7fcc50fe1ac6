import { describe, PeerplaneError } from '@peerplane/core'

import type { DocumentReplica } from './library.ts'
import type { Places } from './places.ts'
import { operationsOf, takePlain, toMirror } from './plain.ts'
import { checkSplice, spliceUnits, type TextPlace } from './splice-units.ts'
import { diffTexts } from '../text/text-diff.ts'
import { indexOfPosition, positionAt, type Neighbour } from './text-positions.ts'
import type { Transaction } from './transaction.ts'
import { putValue, spliceValues } from './write-values.ts'

/** A key of a map or a position in a list. */
export type Prop = string | number

/** A container inside a replica: its id in Automerge and how deep it lies. */
export interface Container {
  readonly id: string
  readonly depth: number
}

/** How the handle of one command reads and changes its replica: every access ends with the command. */
export class Access {
  readonly #transaction: Transaction
  readonly #places: Places
  /** Texts that this command has spliced, by path: finding and measuring one costs as much as a keystroke. */
  readonly #texts = new Map<string, TextPlace>()
  #isOpen = true
  #isPaused = false

  constructor(transaction: Transaction, places: Places) {
    this.#transaction = transaction
    this.#places = places
  }

  close(): void {
    this.#isOpen = false
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  /** The value at `step`: plain, or what `wrap` makes of a container. */
  read(
    place: Container,
    step: Prop,
    wrap: (type: 'map' | 'list', place: Container) => unknown,
  ): unknown {
    const found = canBe(step) ? this.#places.find(this.#open(), place.id, step) : null
    if (found === null) return undefined
    const [type, value] = found
    if (type === 'map' || type === 'list') {
      return wrap(type, { id: value as string, depth: place.depth + 1 })
    }
    if (type === 'text') return this.#open().text(value as string)
    return toMirror(value)
  }

  keys(place: Container): string[] {
    return this.#open().keys(place.id)
  }

  length(place: Container): number {
    return this.#open().length(place.id)
  }

  /**
   * Writes `value` at a key or over an item. A text in place of a text changes only what differs, so concurrent edits of it are kept; anything
   * else takes the place of what stands there.
   */
  put(place: Container, step: Prop, value: unknown): void {
    const plain = takePlain(value, place.depth + 1)
    const text = typeof plain === 'string' ? this.#onlyText(place, step) : undefined
    if (text !== undefined) return this.#rewrite(text, plain as string)
    this.#change(operationsOf(plain))
    putValue(this.#transaction, place.id, step, plain)
  }

  delete(place: Container, key: string): void {
    this.#change(1)
    this.#transaction.roomForAll(1)
    this.#transaction.replica.delete(place.id, key)
  }

  /** Replaces items of a list. */
  spliceList(place: Container, at: number, remove: number, items: readonly unknown[]): void {
    const plain = items.map((item) => takePlain(item, place.depth + 1))
    this.#change(remove + operationsOf(plain) - 1)
    spliceValues(this.#transaction, place.id, at, remove, plain)
  }

  /**
   * Replaces UTF-16 units of the text at `path`, at an index or a position. Throws `invalid-input` if there is no text or no such position, or
   * if half of a surrogate pair would be left.
   */
  spliceText(path: readonly Prop[], place: number | string, remove: number, text: string): void {
    const found = this.#textAt(path)
    const at = typeof place === 'string' ? this.indexOf(path, place) : place
    if (!isWhole(at) || !isWhole(remove) || at + remove > found.length) {
      throw new PeerplaneError(
        'invalid-input',
        `a text of ${found.length} characters has no ${describe(remove)} characters at ${describe(at)}`,
      )
    }
    if (typeof text !== 'string') {
      throw new PeerplaneError('invalid-input', `a splice inserts a string, not ${describe(text)}`)
    }
    this.#open()
    checkSplice(this.#transaction, remove, text)
    spliceUnits(this.#transaction, found, at, remove, text)
  }

  /** Names a position of the text at `path`. Throws `invalid-input`. */
  positionAt(path: readonly Prop[], index: number, neighbour: Neighbour): string {
    const found = this.#textAt(path)
    if (!isWhole(index) || index > found.length) {
      throw new PeerplaneError(
        'invalid-input',
        `a text of ${found.length} characters has no index ${describe(index)}`,
      )
    }
    if (neighbour !== 'next' && neighbour !== 'previous') {
      throw new PeerplaneError(
        'invalid-input',
        `a position is next to "next" or "previous", not ${describe(neighbour)}`,
      )
    }
    return positionAt(this.#open(), found, index, neighbour)
  }

  /** Where a position of the text at `path` is now. Throws `invalid-input`. */
  indexOf(path: readonly Prop[], position: unknown): number {
    return indexOfPosition(this.#open(), this.#textAt(path), position)
  }

  /** The id of the text at a step, where nothing but texts stands. */
  #onlyText(place: Container, step: Prop): string | undefined {
    const replica = this.#open()
    const found = this.#places.find(replica, place.id, step)
    if (found?.[0] !== 'text') return undefined
    const isOnly = replica.getAll(place.id, step).every(([type]) => type === 'text')
    return isOnly ? String(found[1]) : undefined
  }

  #rewrite(id: string, after: string): void {
    const before = this.#open().text(id)
    const hunks = diffTexts(before, after)
    if (hunks.length === 0) return
    const place = { id, length: before.length, boundary: 0 }
    const removed = hunks.reduce((sum, { remove }) => sum + remove, 0)
    checkSplice(this.#transaction, removed, hunks.map(({ text }) => text).join(''))
    this.#texts.clear()
    for (const { at, remove, text } of hunks) {
      spliceUnits(this.#transaction, place, at, remove, text)
    }
  }

  #textAt(path: readonly Prop[]): TextPlace {
    const replica = this.#open()
    const name = JSON.stringify(path)
    const known = this.#texts.get(name)
    if (known !== undefined) return known
    let id = '_root'
    let type = 'map'
    for (const step of path) {
      const fits = type === (typeof step === 'string' ? 'map' : 'list') && canBe(step)
      const found = fits ? this.#places.find(replica, id, step) : null
      type = found?.[0] ?? 'nothing'
      id = String(found?.[1])
    }
    if (type !== 'text') throw new PeerplaneError('invalid-input', `there is no text at ${name}`)
    const text = { id, length: replica.length(id), boundary: 0 }
    this.#texts.set(name, text)
    return text
  }

  #change(operations: number): void {
    this.#open()
    this.#transaction.check(operations)
    this.#texts.clear()
  }

  #open(): DocumentReplica {
    if (this.#isOpen && !this.#isPaused) return this.#transaction.replica
    throw new PeerplaneError('handler-failed', 'a handler used its state after it had returned')
  }
}

/** Whether there may be something at this step: no key holds half of a surrogate pair. */
const canBe = (step: Prop): boolean => typeof step !== 'string' || step.isWellFormed()

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
