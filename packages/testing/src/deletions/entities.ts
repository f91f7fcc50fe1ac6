import {
  counter,
  entity,
  record,
  set,
  type CommandContext,
  type CounterHandle,
  type Entity,
  type EntityKey,
  type SetHandle,
} from '@peerplane/core'

import type { CommandWork } from '../plan/plan.ts'
import type { SimRandom } from '../world/random.ts'

/** Entities that are deleted and created again. For a note, a concurrent change wins against a deletion; for a slip, the deletion wins. */
export const deletableKeys = ['note/a', 'note/b', 'slip/a', 'slip/b'] as const

/** An entity that is never deleted. Every command adds its mark here in the same commit, so its marks say which commands a device knows. */
export const knownKey = 'known/all' as EntityKey

/** Called by the handler of {@link knownKey}, which runs before the one of the other entity: command `mark` runs where `seen` are known. */
export type Knew = (mark: string, seen: readonly string[]) => void

interface Input {
  readonly mark: string
  readonly by: number
}

interface State {
  readonly marks: SetHandle<string>
  readonly total: CounterHandle
}

const write = ({ marks, total }: State, { mark, by }: Input): void => {
  marks.add(mark)
  total.increment(by)
}

/** The entities of one process. */
export function deletableEntities(knew: Knew): readonly Entity[] {
  const state = record({ marks: set<string>(), total: counter() })
  const commands = {
    write,
    remove: (_: State, __: Input, context: CommandContext) => context.delete(),
    renew: (current: State, input: Input, context: CommandContext) => {
      context.delete()
      write(current, input)
    },
  }
  const known = entity('known', {
    state: record({ marks: set<string>() }),
    commands: {
      add: ({ marks }, { mark }: Input) => {
        knew(mark, marks.values)
        marks.add(mark)
      },
    },
  })
  return [
    known,
    entity('note', { state, commands }),
    entity('slip', { state, wins: 'removal', commands }),
  ]
}

/** A random command on one entity, together with {@link knownKey}. */
export function composeDeletion(random: SimRandom): CommandWork {
  const by = 1 + random.below(9)
  const command = random.pick(['write', 'write', 'remove', 'renew'] as const)
  return {
    on: [
      { entity: knownKey, command: 'add', key: '', by },
      { entity: random.pick(deletableKeys), command, key: '', by },
    ],
    durability: random.pick(['local', 'synced'] as const),
  }
}
