import type { Json } from '@peerplane/core'

import type { Execution } from './knowledge.ts'

/** What is wrong with the state of a panel that contains exactly these effects, or `undefined`. */
export function judgePanel(mirror: Panel, effects: readonly Execution[]): string | undefined {
  const of = (...commands: string[]): Execution[] =>
    effects.filter(({ command }) => commands.includes(command))
  const fault = (name: string, isRight: boolean): string | undefined =>
    isRight
      ? undefined
      : `${name} is ${JSON.stringify(mirror[name])}, which no order of its commands gives`
  const visits = of('visit').reduce((sum, { input }) => sum + input.by, 0)
  const kept = [...new Set(of('keep').map(({ input }) => input.key))].sort()
  return (
    fault('lamp', mayBe(mirror.lamp, of('light', 'darken'), 'light', true)) ??
    fault('lock', mayBe(mirror.lock, of('unlock', 'lock'), 'unlock', false)) ??
    fault('poll', isPoll(mirror.poll, of('poll'))) ??
    fault('places', isPlaces(mirror.places, of('place'))) ??
    fault('visits', mirror.visits === visits) ??
    fault('kept', JSON.stringify(mirror.kept) === JSON.stringify(kept)) ??
    fault('seat', isOneOf(mirror.seat, first(of('sit')), of('sit'))) ??
    fault('gauge', isOneOf(mirror.gauge, measured(of('measure')), of('measure'))) ??
    fault('serial', isOneOf(mirror.serial, latest(of('stamp')), of('stamp')))
  )
}

interface Panel {
  readonly [field: string]: Json
}

/** Those that have seen no other one. */
const first = (effects: readonly Execution[]): readonly Execution[] =>
  effects.filter(({ seen }) => !effects.some(({ mark }) => seen.has(mark)))

/** Those that no other one has seen. */
const latest = (effects: readonly Execution[]): readonly Execution[] =>
  effects.filter(({ mark }) => !effects.some(({ seen }) => seen.has(mark)))

/**
 * Whether a flag may be `value`. A command has no effect if its session did the same before; then its effect does not count against others.
 */
function mayBe(
  value: Json | undefined,
  effects: readonly Execution[],
  on: string,
  winner: boolean,
): boolean {
  const alive = latest(effects)
  const mayRepeat = alive.some((each) =>
    effects.some(
      ({ mark, command, process }) =>
        command === each.command && process === each.process && each.seen.has(mark),
    ),
  )
  const [ons, offs] = [true, false].map((isOn) =>
    mayExist(
      alive.filter(({ command }) => (command === on) === isOn),
      effects,
    ),
  ) as [boolean[], boolean[]]
  if (mayRepeat && ons.includes(true) && offs.includes(true)) return true
  return ons.some((isOn) => offs.some((isOff) => value === (isOn && isOff ? winner : isOn)))
}

/** Whether one of these effects is kept: what is possible. */
function mayExist(some: readonly Execution[], effects: readonly Execution[]): boolean[] {
  if (some.length === 0) return [false]
  return isCertain(some, effects) ? [true] : [true, false]
}

const isCertain = (some: readonly Execution[], effects: readonly Execution[]): boolean =>
  some.some((each) => !mayBeHidden(each, effects))

/**
 * Whether a device may keep another op in place of an effect. A device keeps the op of its session with the latest start: one of a process that began
 * later, unless the wall clock was set back. So an effect may be hidden by one that it has not seen, from a later process, or from a clone.
 */
const mayBeHidden = (effect: Execution, effects: readonly Execution[]): boolean =>
  effects.some(
    (other) =>
      other !== effect &&
      !effect.seen.has(other.mark) &&
      !other.seen.has(effect.mark) &&
      (isClone(effect) ||
        isClone(other) ||
        (deviceOf(effect) === deviceOf(other) &&
          (numberOf(other) >= numberOf(effect) || !effect.clockWentOn))),
  )

/** A clone writes with the key of another device. */
const isClone = ({ process }: Execution): boolean => process.startsWith('c')

const deviceOf = ({ process }: Execution): string => process.split('.')[0]!

/** Processes of a device are numbered in their order. */
const numberOf = ({ process }: Execution): number => Number(process.split('.')[1])

/**
 * Those that may have the greatest clock of all that are kept. A command has no effect if its author saw a greater clock. If the greater clock may be
 * hidden, the command may have an effect or not.
 */
function measured(effects: readonly Execution[]): readonly Execution[] {
  const isGreater = (each: Execution, than: Execution): boolean => each.input.by > than.input.by
  const mayLackEffect = (each: Execution): boolean =>
    effects.some((other) => each.seen.has(other.mark) && isGreater(other, each))
  const lacksEffect = (each: Execution): boolean =>
    effects.some(
      (other) =>
        each.seen.has(other.mark) && isGreater(other, each) && !mayBeHidden(other, effects),
    )
  const successors = (each: Execution): Execution[] =>
    effects.filter((other) => other.seen.has(each.mark) && !isGreater(each, other))
  const isDoubtful = (each: Execution): boolean => mayLackEffect(each) && !lacksEffect(each)
  const alive = effects.filter((each) => !lacksEffect(each) && successors(each).every(isDoubtful))
  const certain = alive.filter(
    (each) => ![each, ...successors(each)].some(isDoubtful) && !mayBeHidden(each, effects),
  )
  const greatest = Math.max(...certain.map(({ input }) => input.by))
  return alive.filter(({ input }) => input.by >= greatest)
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

/** Whether the values are those that nobody has replaced, but for those that may be hidden. */
function isPlaces(value: Json | undefined, places: readonly Execution[]): boolean {
  const shown = value as readonly string[]
  const alive = latest(places)
  if (shown.length === 1 && shown[0] === '') return !isCertain(alive, places)
  const isShown = ({ input }: Execution): boolean => shown.includes(input.text)
  const isKnown =
    shown.length > 0 && shown.every((text) => alive.some((each) => each.input.text === text))
  return isKnown && alive.every((each) => isShown(each) || mayBeHidden(each, places))
}

/** Whether a value is that of one of these commands, or the initial one if none of them need be kept. */
const isOneOf = (
  value: Json | undefined,
  some: readonly Execution[],
  effects: readonly Execution[],
): boolean =>
  some.some(({ input }) => input.text === value) || (value === '' && !isCertain(some, effects))
