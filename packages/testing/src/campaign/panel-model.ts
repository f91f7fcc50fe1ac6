import type { Json } from '@peerplane/core'

import type { Execution } from './knowledge.ts'

/** What is wrong with the state of a panel that contains exactly these effects, or `undefined`. */
export function judgePanel(mirror: Panel, effects: readonly Execution[]): string | undefined {
  const of = (...commands: string[]): Execution[] =>
    effects.filter(({ command }) => commands.includes(command))
  const texts = (list: readonly Execution[]): string[] => list.map(({ input }) => input.text)
  const fault = (name: string, isRight: boolean): string | undefined =>
    isRight
      ? undefined
      : `${name} is ${JSON.stringify(mirror[name])}, which no order of its commands gives`
  const visits = of('visit').reduce((sum, { input }) => sum + input.by, 0)
  const kept = [...new Set(of('keep').map(({ input }) => input.key))].sort()
  const seats = texts(of('sit').filter((sit) => !of('sit').some(({ mark }) => sit.seen.has(mark))))
  return (
    fault('lamp', mayBe(mirror.lamp, of('light', 'darken'), 'light', true)) ??
    fault('lock', mayBe(mirror.lock, of('unlock', 'lock'), 'unlock', false)) ??
    fault('poll', isPoll(mirror.poll, of('poll'))) ??
    fault('places', isPlaces(mirror.places, latest(of('place')))) ??
    fault('visits', mirror.visits === visits) ??
    fault('kept', JSON.stringify(mirror.kept) === JSON.stringify(kept)) ??
    fault('seat', isOneOf(mirror.seat, seats)) ??
    fault('gauge', isOneOf(mirror.gauge, texts(measured(of('measure'))))) ??
    fault('serial', isOneOf(mirror.serial, texts(latest(of('stamp')))))
  )
}

interface Panel {
  readonly [field: string]: Json
}

const isOneOf = (value: Json | undefined, texts: readonly string[]): boolean =>
  texts.length > 0 ? texts.includes(value as string) : value === ''

/** Those that no other one has seen. */
const latest = (effects: readonly Execution[]): readonly Execution[] =>
  effects.filter(({ mark }) => !effects.some(({ seen }) => seen.has(mark)))

/** Whether a flag may be `value`. A command has no effect if its session did the same before; then its effect does not count against others. */
function mayBe(
  value: Json | undefined,
  effects: readonly Execution[],
  on: string,
  winner: boolean,
): boolean {
  const alive = latest(effects)
  const isOn = alive.some(({ command }) => command === on)
  const isOff = alive.some(({ command }) => command !== on)
  if (!isOn || !isOff) return value === isOn
  const mayRepeat = alive.some((each) =>
    effects.some(
      ({ mark, command, process }) =>
        command === each.command && process === each.process && each.seen.has(mark),
    ),
  )
  return mayRepeat || isSplit(alive) || value === winner
}

/** A clone writes with the key of another device. */
const isClone = ({ process }: Execution): boolean => process.startsWith('c')

const deviceOf = ({ process }: Execution): string => process.split('.')[0]!

/** Whether sessions of one device may not know of each other: after a restart from an old copy, or beside a clone. Then one of their ops is kept. */
const isSplit = (alive: readonly Execution[]): boolean =>
  alive.some(isClone) || new Set(alive.map(deviceOf)).size < alive.length

/** Those with the greatest clock, unless another one of their device may have taken their place. */
function measured(effects: readonly Execution[]): readonly Execution[] {
  const alive = effects.filter(
    (each) =>
      !effects.some(
        (other) =>
          (other.seen.has(each.mark) && other.input.by >= each.input.by) ||
          (each.seen.has(other.mark) && other.input.by > each.input.by),
      ),
  )
  const greatest = Math.max(...alive.map(({ input }) => input.by))
  return isSplit(alive) ? alive : alive.filter(({ input }) => input.by === greatest)
}

/** Whether the votes are those of the devices, each of which has one of its latest. Clones may have replaced votes of their device. */
function isPoll(value: Json | undefined, effects: readonly Execution[]): boolean {
  const votes = Object.values(value as { readonly [device: string]: boolean })
  const devices = [...new Set(effects.map(deviceOf))]
  if (effects.some(isClone)) return votes.length <= devices.length
  const possible = devices.map((device) => {
    const own = latest(effects.filter((each) => deviceOf(each) === device))
    return new Set(own.map(({ input }) => input.by % 2 === 0))
  })
  const least = possible.filter((each) => !each.has(false)).length
  const most = possible.filter((each) => each.has(true)).length
  const votesFor = votes.filter((vote) => vote).length
  return votes.length === devices.length && votesFor >= least && votesFor <= most
}

/** Whether the values are those that nobody has replaced. */
function isPlaces(value: Json | undefined, alive: readonly Execution[]): boolean {
  const shown = value as readonly string[]
  if (alive.length === 0) return shown.length === 1 && shown[0] === ''
  const texts = alive.map(({ input }) => input.text)
  const isKnown = shown.length > 0 && shown.every((text) => texts.includes(text))
  return isKnown && (isSplit(alive) || shown.length === texts.length)
}
