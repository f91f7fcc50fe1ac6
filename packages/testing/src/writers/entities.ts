import {
  entity,
  events,
  value,
  type CommandContext,
  type Entity,
  type SingleWriterHandle,
} from '@peerplane/core'

import type { CommandWork } from '../plan/plan.ts'
import type { SimRandom } from '../world/random.ts'

/** Entities with a single writer, two of each kind. Every device writes all of them. */
export const writerKeys = ['journal/a', 'journal/b', 'setting/a', 'setting/b'] as const

/** What a handler found when it wrote a mark. */
export interface Wrote {
  readonly mark: string
  readonly key: string
  /** The marks below its own one. */
  readonly before: readonly string[]
  /** Marks on branches that the command has ended by a choice. */
  readonly dropped: readonly string[]
}

/** Called by the handlers. */
export interface WriterEvents {
  wrote(what: Wrote): void
  saw(key: string, branches: readonly (readonly string[])[]): void
  report(what: string): void
}

interface Input {
  readonly mark: string
  readonly by: number
}

type State = SingleWriterHandle<string[]>

/** The entities of one process. Every command adds its mark to a list, which is the whole state. */
export function writerEntities(process: WriterEvents): readonly Entity[] {
  const commands = (type: string, add: (state: never, mark: string) => void) => {
    const write = (state: State, mark: string, id: string, dropped: readonly string[]): void => {
      const before = state.value
      add(state as never, mark)
      process.wrote({ mark, key: `${type}/${id}`, before, dropped })
    }
    return {
      note: (state: State, { mark }: Input, { id, device }: CommandContext) => {
        const [shown] = state.branches
        write(state, mark, id, [])
        if (shown && shown.writer !== device)
          process.report(`${mark} was written by another device`)
      },
      choose: (state: State, { mark, by }: Input, { id }: CommandContext) => {
        const { branches } = state
        const chosen = branches[by % branches.length]
        if (chosen) state.choose(chosen.key)
        const kept = new Set(chosen?.value)
        const all = branches.flatMap((branch) => branch.value)
        write(
          state,
          mark,
          id,
          all.filter((each) => !kept.has(each)),
        )
      },
      look: ({ branches }: State, _: null, { id }: CommandContext) => {
        process.saw(
          `${type}/${id}`,
          branches.map((branch) => branch.value),
        )
      },
    }
  }
  const journal = events([] as string[], { noted: (marks, mark: string) => [...marks, mark] })
  const setting = value<string[]>([])
  type Journal = { emit(name: 'noted', mark: string): void }
  type Setting = State & { set(marks: string[]): void }
  return [
    entity('journal', {
      state: journal,
      commands: commands('journal', (state: Journal, mark) => state.emit('noted', mark)),
    }),
    entity('setting', {
      state: setting,
      commands: commands('setting', (state: Setting, mark) => state.set([...state.value, mark])),
    }),
  ]
}

/** A random command on one entity. */
export function composeWriting(random: SimRandom): CommandWork {
  return {
    on: [
      {
        entity: random.pick(writerKeys),
        command: random.chance(0.75) ? 'note' : 'choose',
        key: '',
        by: random.below(12),
      },
    ],
    durability: random.pick(['local', 'synced'] as const),
  }
}
