import type { Json } from '@peerplane/core'
import type { Backend, Loaded } from '@peerplane/runtime'
import { describe, expect, test } from 'vitest'

import { SimDisk } from '../disk/disk.ts'
import type { Incarnation, SimDevice } from '../fleet/device.ts'
import { SimClock } from '../world/clock.ts'
import { SimProcess } from '../world/process.ts'
import { SimWorld } from '../world/world.ts'
import { Knowledge, type IssuedCommand } from './knowledge.ts'
import { TitleHistories } from './title-histories.ts'
import { Oracle, type Rule, type Twins } from './oracle.ts'
import { judgeEnd } from './verdict.ts'

/*
 * Each oracle is shown a history that breaks its rule and the nearest history that does not. Nothing of the product runs here: states are
 * what the test says.
 */

const KEYS = ['tally/a', 'tally/b', 'board/a']

describe('oracles on one device', () => {
  test('a state that is what its commands say passes; another does not', () => {
    const good = new Scene()
    good.ran('w1', 'tally/a', 'add', { by: 3 })
    good.shows('d', 'tally/a', { marks: ['w1'], total: 3 })
    expect(good.rules()).toEqual([])
    const bad = new Scene()
    bad.ran('w1', 'tally/a', 'add', { by: 3 })
    bad.shows('d', 'tally/a', { marks: ['w1'], total: 6 })
    expect(bad.rules()).toEqual(['state'])
  })

  test('a command that never ran is noticed', () => {
    const scene = new Scene()
    scene.shows('d', 'tally/a', { marks: ['w9'], total: 0 })
    expect(scene.rules()).toEqual(['state'])
  })

  test('an effect without its cause, on another entity', () => {
    const play = (withCause: boolean): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'tally/a', 'add', { by: 1 })
      scene.ran('w2', 'tally/b', 'add', { by: 1 }, ['w1'])
      scene.opens('d')
      if (withCause) scene.shows('d', 'tally/a', { marks: ['w1'], total: 1 })
      scene.shows('d', 'tally/b', { marks: ['w2'], total: 1 })
      return scene.rules()
    }
    expect(play(true)).toEqual([])
    expect(play(false)).toEqual(['causality'])
  })

  test('an effect without a cause that may have been lost is a violation if the cause is shown in the end', () => {
    const play = (isThereInTheEnd: boolean): Rule[] => {
      const scene = new Scene()
      Object.assign(scene.ran('w1', 'tally/a', 'add', { by: 1 }), { outcome: 'acknowledged' })
      scene.ran('w2', 'tally/b', 'add', { by: 1 }, ['w1'])
      const oracle = scene.opens('d')
      scene.shows('d', 'tally/b', { marks: ['w2'], total: 1 })
      if (isThereInTheEnd) scene.shows('d', 'tally/a', { marks: ['w1'], total: 1 })
      const end = { device: scene.device, oracle, status: undefined }
      return [...scene.rules(), ...judgeEnd([end], scene.knowledge).map(({ rule }) => rule)]
    }
    expect(play(false)).not.toContain('causality')
    expect(play(true)).toContain('causality')
  })

  test('half of an atomic commit', () => {
    const play = (whole: boolean): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'tally/a', 'add', { by: 1 })
      scene.ran('w1', 'tally/b', 'add', { by: 1 })
      scene.opens('d')
      scene.shows('d', 'tally/a', { marks: ['w1'], total: 1 }, false)
      if (whole) scene.shows('d', 'tally/b', { marks: ['w1'], total: 1 }, false)
      scene.look('d')
      return scene.rules()
    }
    expect(play(true)).toEqual([])
    expect(play(false)).toEqual(['atomicity'])
  })

  test('what was visible stays visible, unless its command was refused here or wanted no storage', () => {
    const play = (
      outcome: IssuedCommand['outcome'],
      durability: IssuedCommand['durability'] = 'local',
    ): Rule[] => {
      const scene = new Scene()
      Object.assign(scene.ran('w1', 'tally/a', 'add', { by: 1 }), { outcome, durability })
      scene.opens('d')
      scene.shows('d', 'tally/a', { marks: ['w1'], total: 1 })
      scene.shows('d', 'tally/a', { marks: [], total: 0 })
      return scene.rules()
    }
    expect(play('failed')).toEqual([])
    expect(play('acknowledged', 'memory')).toEqual([])
    expect(play('acknowledged')).toEqual(['monotonic reads'])
  })

  test('an acknowledged command is visible where it was issued', () => {
    const play = (visible: boolean): Rule[] => {
      const scene = new Scene()
      const step = scene.ran('w1', 'tally/a', 'add', { by: 1 })
      scene.opens('d').expect(step)
      if (visible) scene.shows('d', 'tally/a', { marks: ['w1'], total: 1 }, false)
      scene.look('d')
      return scene.rules()
    }
    expect(play(true)).toEqual([])
    expect(play(false)).toEqual(['read your writes'])
  })

  test('what was acknowledged as synced survives a power cut; as local, a crash', () => {
    const play = (durability: 'local' | 'synced', power: boolean): Rule[] => {
      const scene = new Scene()
      const step = scene.ran('w1', 'tally/a', 'add', { by: 1 })
      step.durability = durability
      scene.knowledge.acknowledged(scene.device, step)
      if (power) scene.knowledge.powerCut(scene.device)
      scene.opens('d')
      return scene.rules()
    }
    expect(play('synced', true)).toEqual(['durability'])
    expect(play('local', false)).toEqual(['durability'])
    expect(play('local', true)).toEqual([])
  })

  test('a restored copy owes what was acknowledged when it was made, and no more', () => {
    const play = (copiedFirst: boolean): Rule[] => {
      const scene = new Scene()
      const step = scene.ran('w1', 'tally/a', 'add', { by: 1 })
      step.durability = 'synced'
      const image = scene.device.disk.copy()
      if (copiedFirst) scene.knowledge.copied(scene.device, image)
      scene.knowledge.acknowledged(scene.device, step)
      if (!copiedFirst) scene.knowledge.copied(scene.device, image)
      scene.knowledge.restored(scene.device, image)
      scene.opens('d')
      return scene.rules()
    }
    expect(play(true)).toEqual([])
    expect(play(false)).toEqual(['durability'])
  })
})

describe('oracles over several devices', () => {
  test('equal commands give equal states', () => {
    const play = (title: string): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'board/a', 'name', { text: 'one' })
      scene.ran('w2', 'board/a', 'name', { text: 'two' })
      for (const [device, shown] of [
        ['d', 'one'],
        ['e', title],
      ] as const) {
        scene.shows(device, 'board/a', { ...EMPTY_BOARD, marks: ['w1', 'w2'], title: shown })
      }
      return scene.rules()
    }
    expect(play('one')).toEqual([])
    expect(play('two')).toEqual(['convergence'])
  })

  test('an overwritten title is not shown', () => {
    const play = (title: string): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'board/a', 'name', { text: 'one' })
      scene.ran('w2', 'board/a', 'name', { text: 'two' }, [], ['w1'])
      scene.shows('d', 'board/a', { ...EMPTY_BOARD, marks: ['w1', 'w2'], title })
      return scene.rules()
    }
    expect(play('two')).toEqual([])
    expect(play('one')).toEqual(['state'])
  })

  test('an element that a process adds again may disappear with its first addition, and no other', () => {
    const play = (process: string, tags: string[]): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'board/a', 'tag', { key: 'x' })
      scene.ran('w2', 'board/a', 'tag', { key: 'x' }, [], ['w1'], process)
      scene.ran('w3', 'board/a', 'untag', { key: 'x' }, [], ['w1'], 'e.1')
      const marks = ['w1', 'w2', 'w3']
      scene.shows('d', 'board/a', { ...EMPTY_BOARD, marks, tags })
      return scene.rules()
    }
    expect(play('d.1', [])).toEqual([])
    expect(play('d.1', ['x'])).toEqual([])
    expect(play('d.2', ['x'])).toEqual([])
    expect(play('d.2', [])).toEqual(['state'])
  })

  test('a removal takes what it saw, and nothing else', () => {
    const play = (tags: string[], sums: Json): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'board/a', 'tag', { key: 'x' })
      scene.ran('w2', 'board/a', 'tag', { key: 'x' })
      scene.ran('w3', 'board/a', 'untag', { key: 'x' }, [], ['w1'])
      scene.ran('w4', 'board/a', 'count', { key: 'y', by: 2 })
      scene.ran('w5', 'board/a', 'count', { key: 'y', by: 5 })
      scene.ran('w6', 'board/a', 'forget', { key: 'y' }, [], ['w4'])
      const marks = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6']
      scene.shows('d', 'board/a', { ...EMPTY_BOARD, marks, tags, sums })
      return scene.rules()
    }
    expect(play(['x'], { y: 7 })).toEqual([])
    expect(play([], { y: 7 })).toEqual(['state'])
    expect(play(['x'], { y: 5 })).toEqual(['state'])
    expect(play(['x'], {})).toEqual(['state'])
    expect(play(['x'], { y: 7, z: 1 })).toEqual(['state'])
  })

  test('a change after a removal begins again', () => {
    const play = (y: number): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'board/a', 'count', { key: 'y', by: 2 })
      scene.ran('w2', 'board/a', 'forget', { key: 'y' }, [], ['w1'])
      scene.ran('w3', 'board/a', 'count', { key: 'y', by: 3 }, [], ['w1', 'w2'])
      scene.ran('w4', 'board/a', 'count', { key: 'y', by: 9 }, [], ['w1'])
      const marks = ['w1', 'w2', 'w3', 'w4']
      scene.shows('d', 'board/a', { ...EMPTY_BOARD, marks, sums: { y } })
      return scene.rules()
    }
    expect(play(3)).toEqual([])
    expect(play(5)).toEqual(['state'])
    expect(play(14)).toEqual(['state'])
  })

  test('a row stays if it was moved concurrently with its deletion, and is there once', () => {
    const row = (label: string, moved: number): Json => ({ key: label, value: { label, moved } })
    const play = (...rows: Json[]): Rule[] => {
      const scene = new Scene()
      scene.ran('w1', 'board/a', 'put', { key: 'x' })
      scene.ran('w2', 'board/a', 'put', { key: 'x' }, [], ['w1'])
      scene.ran('w3', 'board/a', 'drop', { key: 'x' }, [], ['w1', 'w2'])
      scene.ran('w4', 'board/a', 'shift', { key: 'x' }, [], ['w1'])
      const marks = ['w1', 'w2', 'w3', 'w4']
      scene.shows('d', 'board/a', { ...EMPTY_BOARD, marks, rows })
      return scene.rules()
    }
    expect(play(row('x w1', 1))).toEqual([])
    expect(play(row('x w1', 0))).toEqual(['state'])
    expect(play(row('x w1', 1), row('x w1', 1))).toEqual(['state'])
    expect(play(row('x w1', 1), row('x w2', 0))).toEqual(['state'])
    expect(play()).toEqual(['state'])
  })
})

const EMPTY_BOARD = {
  title: '',
  cells: {},
  tags: [] as string[],
  sums: {} as Json,
  rows: [] as Json,
  nodes: [],
  story: '' as Json,
}

/** Devices that show what the test sets. */
class Scene {
  readonly knowledge = new Knowledge()
  readonly device: SimDevice
  readonly #world = new SimWorld(0)
  readonly #titles = new TitleHistories(this.knowledge)
  readonly #twins: Twins = new Map()
  readonly #violations: Rule[] = []
  readonly #oracles = new Map<string, Oracle>()
  readonly #listeners = new Map<string, (entity: Loaded) => void>()

  constructor() {
    this.device = { name: 'd', disk: new SimDisk(this.#world, 'd') } as SimDevice
  }

  rules(): Rule[] {
    return this.#violations
  }

  ran(
    mark: string,
    key: string,
    command: string,
    { key: at = '', text = '', by = 0 }: { key?: string; text?: string; by?: number },
    context: string[] = [],
    seen: string[] = [],
    process = 'd.1',
  ): IssuedCommand {
    const input = { mark, key: at, text, by }
    const before = this.knowledge.steps.get(mark)
    const step: IssuedCommand = before ?? {
      mark,
      process,
      issued: new Map(),
      effects: new Map(),
      context: new Set(context),
      durability: 'memory',
      outcome: 'running',
      takenBack: false,
      isBack: false,
      isRepetition: false,
    }
    step.effects.set(key, {
      mark,
      command,
      input,
      seen: new Set(seen),
      process,
      clockWentOn: true,
      isIncomplete: false,
    })
    this.knowledge.steps.set(mark, step)
    return step
  }

  /** Opens a device on which every entity is empty. */
  opens(name: string): Oracle {
    const known = this.#oracles.get(name)
    if (known) return known
    const backend = {
      watchEntity: (type: string, id: string, listener: (entity: Loaded) => void) => {
        this.#listeners.set(`${name} ${type}/${id}`, listener)
        return () => undefined
      },
    } as unknown as Backend
    const process = new SimProcess(`${name}.1`, this.#world, new SimClock(this.#world, 0, 1))
    const incarnation: Incarnation = { device: this.device, process, backend }
    const oracle = new Oracle(incarnation, KEYS, this.knowledge, {
      twins: this.#twins,
      titles: this.#titles,
      report: ({ rule }) => this.#violations.push(rule),
      changed: () => undefined,
    })
    this.#oracles.set(name, oracle)
    for (const key of KEYS) {
      const empty = key.startsWith('tally')
        ? { marks: [], total: 0 }
        : { marks: [], ...EMPTY_BOARD }
      this.#tell(name, key, empty)
    }
    oracle.look()
    return oracle
  }

  shows(name: string, key: string, state: Json, look = true): void {
    this.opens(name)
    this.#tell(name, key, state)
    if (look) this.look(name)
  }

  look(name: string): void {
    this.#oracles.get(name)!.look()
  }

  #tell(name: string, key: string, state: Json): void {
    this.#listeners.get(`${name} ${key}`)!({
      phase: 'ready',
      state,
      version: '',
      pending: 0,
      incomplete: false,
      conflict: false,
      size: { bytes: 0, ops: 0, mostBytes: undefined, mostOps: undefined },
    })
  }
}
