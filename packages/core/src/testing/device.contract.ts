import { expect, it } from 'vitest'

import type { ErrorCode } from '../errors.ts'

/** What a store keeps of a device. */
const deviceParts = ['key', 'membership', 'log'] as const
type DevicePart = (typeof deviceParts)[number]

type DeviceStatus = Readonly<Record<'space' | 'device' | 'membership' | 'storage', string>>

/** An open plane with one counter. */
export interface DevicePlane {
  vote(): Promise<unknown>
  votes(): Promise<number>
  /** The status at this moment. */
  readonly status: () => Promise<DeviceStatus>
  close(): Promise<void>
}

/** A place where a device is kept, and two other devices that invite it to their spaces. */
export interface DeviceFixture {
  open(invitation?: string): Promise<DevicePlane>
  /** Deletes a part of what is stored while the plane is closed. */
  remove(part: DevicePart): Promise<void>
  /** What is stored while the plane is closed, record by record. */
  records(): Promise<StoredRecords>
  readonly own: string
  readonly other: string
}

/** All records of a place. */
export interface StoredRecords {
  readonly names: readonly string[]
  /** Puts everything back as it was, except one record. */
  restoreWithout(name: string): Promise<void>
}

type Outcome = 'opens' | 'joins' | 'is new' | ErrorCode

/** What happens to a device that lacks `missing` when it is opened alone, with an invitation to its own space, and with one to another. */
function expected(missing: readonly DevicePart[]): Record<'alone' | 'own' | 'other', Outcome> {
  if (missing.length === 0) return { alone: 'opens', own: 'opens', other: 'wrong-space' }
  if (missing.includes('membership') && missing.includes('log')) {
    return { alone: 'is new', own: 'joins', other: 'joins' }
  }
  return { alone: 'storage-lost', own: 'joins', other: 'wrong-space' }
}

const subsets = deviceParts.reduce<DevicePart[][]>(
  (sets, part) => [...sets, ...sets.map((set) => [...set, part])],
  [[]],
)

/** What every platform does when parts of a device are gone: what is left is never lost, and never mistaken for a new device. */
export function deviceContract(name: string, makeFixture: () => Promise<DeviceFixture>): void {
  for (const missing of subsets) {
    for (const way of ['alone', 'own', 'other'] as const) {
      const outcome = expected(missing)[way]
      const lacking = missing.length === 0 ? 'any loss' : missing.join(' and ')
      it(`a device that has lost parts of its store is never mistaken for a new device: without ${lacking}, opened ${wayText[way]}, ${outcome} (${name})`, async () => {
        const fixture = await makeFixture()
        const before = await begin(fixture)
        for (const part of missing) await fixture.remove(part)
        const invitation = way === 'alone' ? undefined : fixture[way]
        if (outcome === 'opens' || (outcome === 'joins' && way === 'own')) {
          await goesOn(fixture, invitation, before, missing)
        } else if (outcome === 'is new' || outcome === 'joins') {
          await isAnother(fixture, invitation, before)
        } else {
          await isRefused(fixture, invitation, outcome)
          await goesOn(fixture, fixture.own, before, missing)
        }
      })
    }
  }

  it(`a store without one of its records opens as the same member or is refused: ${name}`, async () => {
    const fixture = await makeFixture()
    const before = await begin(fixture)
    const { names, restoreWithout } = await fixture.records()
    expect(names.length).toBeGreaterThan(5)
    const outcomes: Record<string, string> = {}
    for (const record of names) {
      await restoreWithout(record)
      outcomes[record] = await outcomeOf(fixture, before)
    }
    expect(Object.entries(outcomes).filter(([, outcome]) => !allowed.has(outcome))).toEqual([])
    const refused = Object.values(outcomes).filter((outcome) => outcome !== 'is the member')
    expect(refused).toContain('storage-lost')
    expect(refused).toContain('store-corrupt')
  })

  it(`a plane in which nobody wrote leaves nothing in its store, and later accepts any invitation: ${name}`, async () => {
    const fixture = await makeFixture()
    const unfounded = await fixture.open()
    const { space: unused, membership } = await unfounded.status()
    expect(membership).toBe('none')
    expect(await unfounded.votes()).toBe(0)
    await unfounded.close()
    const joined = await fixture.open(fixture.other)
    const status = await joined.status()
    expect(status.membership).toBe('joined')
    expect(status.space).not.toBe(unused)
    await joined.close()
  })

  it(`${name}: the first command founds a space, which no invitation to another one replaces`, async () => {
    const fixture = await makeFixture()
    const founder = await fixture.open()
    await founder.vote()
    await expect.poll(founder.status).toMatchObject({ membership: 'founded' })
    const { space, device } = await founder.status()
    await founder.close()
    await expect(fixture.open(fixture.own)).rejects.toMatchObject({ code: 'wrong-space' })
    const again = await fixture.open()
    expect(await again.status()).toMatchObject({ space, device, membership: 'founded' })
    expect(await again.votes()).toBe(1)
    await again.close()
  })
}

const allowed = new Set(['is the member', 'storage-lost', 'store-corrupt'])

/** What happens to a device that is opened alone, and whether what it acknowledges then stays. */
async function outcomeOf({ open }: DeviceFixture, before: DeviceStatus): Promise<string> {
  try {
    const plane = await open()
    const { space, device, membership } = await plane.status()
    const votes = await plane.votes()
    await plane.vote()
    await plane.close()
    if (space !== before.space || device !== before.device) return `is another: ${membership}`
    const again = await open()
    const kept = (await again.votes()) - votes
    await again.close()
    return kept === 1 ? 'is the member' : 'forgets what it acknowledged'
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}

const wayText = {
  alone: 'alone',
  own: 'with an invitation to its space',
  other: 'with one to another space',
}

async function begin({ open, own }: DeviceFixture): Promise<DeviceStatus> {
  const plane = await open(own)
  await plane.vote()
  const status = await plane.status()
  await plane.close()
  return status
}

/** It is a member of the same space, with all that is left, and still is after another opening. */
async function goesOn(
  { open }: DeviceFixture,
  invitation: string | undefined,
  before: DeviceStatus,
  missing: readonly DevicePart[],
): Promise<void> {
  const votes = missing.includes('log') ? 0 : 1
  const plane = await open(invitation)
  const { space, device, membership } = await plane.status()
  expect({ space, membership }).toEqual({ space: before.space, membership: 'joined' })
  expect(device === before.device).toBe(!missing.includes('key'))
  expect(await plane.votes()).toBe(votes)
  await plane.vote()
  await plane.close()
  const again = await open()
  expect(await again.status()).toMatchObject({ space: before.space, device })
  expect(await again.votes()).toBe(votes + 1)
  await again.close()
}

/** Refused means untouched: the right invitation still finds what is left. */
async function isRefused(
  { open }: DeviceFixture,
  invitation: string | undefined,
  code: ErrorCode,
): Promise<void> {
  await expect(open(invitation)).rejects.toMatchObject({ code })
}

async function isAnother(
  { open }: DeviceFixture,
  invitation: string | undefined,
  before: DeviceStatus,
): Promise<void> {
  const plane = await open(invitation)
  const { space, membership } = await plane.status()
  expect(membership).toBe(invitation === undefined ? 'none' : 'joined')
  expect(space).not.toBe(before.space)
  expect(await plane.votes()).toBe(0)
  await plane.close()
}
