import {
  document,
  entity,
  events,
  record,
  register,
  value,
  type CommandContext,
  type StateOf,
} from '@peerplane/core'
import { expect, test } from 'vitest'

import type { OpenPlane } from './fixture.ts'

const Note = entity('note', {
  state: record({ text: register('') }),
  commands: {
    write: (note, text: string) => note.text.set(text),
    look: (note, _: null, { exists }) => ({ exists, text: note.text.value }),
    remove: (_, __: null, context) => context.delete(),
    restart: (note, text: string, context) => {
      context.delete()
      note.text.set(text)
    },
  },
})

const look = (_: unknown, __: null, { exists }: CommandContext): boolean => exists
const remove = (_: unknown, __: null, context: CommandContext): void => context.delete()
/** Changes an entity, in commands of any kind of state, and says whether it existed before and after the change. */
const changing =
  <Handle>(change: (handle: Handle) => void) =>
  (handle: Handle, _: null, context: CommandContext): readonly boolean[] => {
    const { exists } = context
    change(handle)
    return [exists, context.exists]
  }
const kinds = [
  entity('page', {
    state: document({ text: '' }),
    commands: { look, remove, change: changing<{ text: string }>((page) => (page.text = 'one')) },
  }),
  entity('setting', {
    state: value(0),
    commands: {
      look,
      remove,
      change: changing<{ set(to: number): void }>((setting) => setting.set(1)),
    },
  }),
  entity('account', {
    state: events(0, { added: (sum, by: number) => sum + by }),
    commands: {
      look,
      remove,
      change: changing<{ emit(name: 'added', by: number): void }>((all) => all.emit('added', 1)),
    },
  }),
] as const

/** Entities are created with their first change, and are gone after their deletion. */
export function lifecycleContract(open: OpenPlane): void {
  test('a deleted entity leaves lists, does not exist for commands, and can be created again', async () => {
    const plane = await open([Note])
    const shown: string[] = []
    let seen: readonly { readonly id: string; readonly state: StateOf<typeof Note> }[] = []
    const stop = plane.subscribe(Note, (rows) => {
      seen = rows
      shown.push(rows.map(({ id }) => id).join(' '))
    })
    const [a, b] = [plane.get(Note, 'a'), plane.get(Note, 'b')]
    expect((await a.look(null)).reply).toEqual({ exists: false, text: '' })
    await a.write('one')
    await b.write('two')
    expect((await a.look(null)).reply).toEqual({ exists: true, text: 'one' })
    await a.remove(null)
    expect((await plane.list(Note)).map(({ id }) => id)).toEqual(['b'])
    expect(await plane.list(Note, { limit: 1 })).toMatchObject([{ id: 'b' }])
    expect((await a.look(null)).reply).toEqual({ exists: false, text: '' })
    expect(await a.state()).toEqual({ text: '' })
    await a.remove(null)
    await expect.poll(() => seen.map(({ id }) => id)).toEqual(['b'])

    await a.write('again')
    await b.restart('afresh')
    expect(await plane.list(Note)).toEqual([
      { id: 'a', state: { text: 'again' } },
      { id: 'b', state: { text: 'afresh' } },
    ])
    await expect.poll(() => seen).toMatchObject([{ id: 'a' }, { id: 'b' }])
    expect(shown.at(-1)).toBe('a b')
    stop()
    await plane.close()
  })

  test('documents, values and events exist from their first change to their deletion, and begin again after it', async () => {
    const plane = await open(kinds)
    for (const kind of kinds) {
      const thing = plane.get(kind as (typeof kinds)[0], 'a')
      const list = async (): Promise<readonly unknown[]> => plane.list(kind as (typeof kinds)[0])
      const initial = await thing.state()
      for (let time = 0; time < 2; time++) {
        expect([kind.type, (await thing.look(null)).reply]).toEqual([kind.type, false])
        expect((await thing.change(null)).reply).toEqual([false, true])
        expect((await thing.look(null)).reply).toBe(true)
        const changed = await thing.state()
        expect(changed).not.toEqual(initial)
        expect(await list()).toEqual([{ id: 'a', state: changed }])
        await thing.remove(null)
        expect(await thing.state()).toEqual(initial)
        expect(await list()).toEqual([])
      }
    }
    await plane.close()
  })
}
