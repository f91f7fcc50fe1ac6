import {
  entity,
  flag,
  growOnlyCounter,
  growOnlySet,
  multiValueRegister,
  record,
  register,
  set,
  vote,
  type Entity,
  type SetHandle,
} from '@peerplane/core'

import type { Marked } from './marked.ts'

type Change<State> = (state: State, input: Marked) => void
type Marking = <State extends { readonly marks: SetHandle<string> }>(
  type: string,
  change: Change<State>,
) => (state: State, input: Marked, context: { readonly id: string }) => void

/** An entity with the small kinds of state; `marking` makes a command that leaves its name. */
export function panelEntity(marking: Marking): Entity {
  const panel = entity('panel', {
    state: record({
      marks: set(),
      lamp: flag(),
      lock: flag({ wins: 'disable' }),
      poll: vote(),
      places: multiValueRegister(''),
      visits: growOnlyCounter(),
      kept: growOnlySet(),
      seat: register('', { clock: 'reverse' }),
      gauge: register('', { clock: 'custom' }),
      serial: register('', { clock: 'custom-auto-increment' }),
    }),
    commands: {
      light: marking('panel', ({ lamp }) => lamp.enable()),
      darken: marking('panel', ({ lamp }) => lamp.disable()),
      unlock: marking('panel', ({ lock }) => lock.enable()),
      lock: marking('panel', ({ lock }) => lock.disable()),
      poll: marking('panel', ({ poll }, { by }) => poll.vote(by % 2 === 0)),
      place: marking('panel', ({ places }, { text }) => places.set(text)),
      visit: marking('panel', ({ visits }, { by }) => visits.increment(by)),
      keep: marking('panel', ({ kept }, { key }) => kept.add(key)),
      sit: marking('panel', ({ seat }, { text }) => seat.set(text)),
      measure: marking('panel', ({ gauge }, { text, by }) => gauge.set(text, by)),
      stamp: marking('panel', ({ serial }, { text }) => serial.set(text)),
    },
  })
  return panel
}

export const panelCommands = [
  'light',
  'darken',
  'unlock',
  'lock',
  'poll',
  'place',
  'visit',
  'keep',
  'sit',
  'measure',
  'stamp',
] as const
