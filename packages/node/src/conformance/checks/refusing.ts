import { entityKey, makeOpening, type Run, type Section, type Value } from '@peerplane/core'

import { guestOf, joinWith } from '../device.ts'
import { runs } from '../messages.ts'
import type { Probe } from '../probe.ts'
import type { RuleId } from '../rules.ts'
import { HandmadeSession } from '../session.ts'
import type { Check, Tester } from '../tester.ts'
import { arrive, begin, misshapen } from './scene.ts'

type Bad = (tester: Tester, probe: Probe) => Promise<{ readonly run: Run; readonly what: string }>

/** Runs that can be read and break a rule: they are not stored, and the link stays open. */
export const refusing: Check = {
  name: 'refusing',
  rules: [
    'R-RUN-1',
    'R-BATCH-2',
    'R-BATCH-3',
    'R-COMMIT-3',
    'R-COMMIT-6',
    'R-MEMBER-1',
    'R-OPENING-1',
    'R-OPENING-4',
    'R-EXTENSION-1',
    'R-EXTENSION-2',
    'R-RUN-14',
  ],
  run: async (tester) => {
    const probe = await arrive(tester)
    for (const [rule, bad] of cases) {
      const { run, what } = await bad(tester, probe)
      const since = probe.heard.length
      await probe.send(runs(run))
      const tip = await probe.tipOf(run.session)
      // What waits is stored, too: then something is asked for.
      const waits = probe.heard.slice(since).some(({ message }) => message.kind === 'want')
      if (tip || waits) tester.verdicts.broke(rule, `${what} is accepted`)
      else tester.verdicts.kept(rule)
    }
    tester.verdicts.must(
      'R-RUN-14',
      probe.isOpen,
      `the link ended after ${cases.length} runs that were refused`,
    )
    await probe.close()
  },
}

const HOUR_MS = 3_600_000

/** Fewer than end a link. */
const cases: readonly (readonly [RuleId, Bad])[] = [
  [
    'R-RUN-1',
    async (tester, probe) => {
      const session = begin(tester, probe)
      const batch = await session.write({})
      return {
        run: session.run([{ ...batch, signature: undefined }]),
        what: 'a run without a signature',
      }
    },
  ],
  [
    'R-BATCH-2',
    async (tester, probe) => {
      const session = begin(tester, probe)
      const batch = await session.write({}, {})
      const encoded = misshapen(batch, (fields) => {
        const [first, second] = fields[4] as readonly (readonly Value[])[]
        const [ms, counter] = fields[2] as readonly [number, number]
        return [...fields.slice(0, 4), [first!, [[ms, counter + 1], ...second!.slice(1)]]]
      })
      return {
        run: { ...session.run(), batches: [encoded] },
        what: 'a time as a pair, where a number would do,',
      }
    },
  ],
  [
    'R-BATCH-2',
    async (tester, probe) => {
      const session = begin(tester, probe)
      const batch = await session.write({}, {})
      const encoded = misshapen(batch, (fields) => {
        const [first, second] = fields[4] as readonly (readonly Value[])[]
        const [section] = first as readonly (readonly Value[])[]
        return [
          ...fields.slice(0, 4),
          [first!, [second![0]!, [section![0]!, (second![1] as readonly Value[])[1]!]]],
        ]
      })
      return {
        run: { ...session.run(), batches: [encoded] },
        what: 'an entity that is named twice',
      }
    },
  ],
  [
    'R-BATCH-3',
    async (tester, probe) => {
      const session = begin(tester, probe)
      const entity = entityKey('conformance', 'x'.repeat(240))
      const sections: Section[] = Array.from({ length: 256 }, () => ({
        entity,
        modelVersion: 1,
        body: new Uint8Array(0),
      }))
      await session.write(...Array.from({ length: 16 }, () => ({ sections })))
      return { run: session.run(), what: 'a batch that stands for more than 1 MiB' }
    },
  ],
  [
    'R-COMMIT-3',
    async (tester, probe) => {
      const session = begin(tester, probe)
      const deps = Array.from({ length: 65 }, (_, index) => ({
        session: index.toString(16).padStart(32, '0') as HandmadeSession['record']['session'],
        seq: 1,
      }))
      await session.write({ deps, digest: new Uint8Array(16) })
      return { run: session.run(), what: 'a commit with 65 deps' }
    },
  ],
  [
    'R-COMMIT-6',
    async (tester, probe) => {
      const session = begin(tester, probe)
      await session.write({ time: { ms: 1, counter: 65_536 } })
      return { run: session.run(), what: 'a time with the counter 65,536' }
    },
  ],
  [
    'R-MEMBER-1',
    async (tester, probe) => {
      // Its host has the admissions of another device.
      const host = await joinWith(tester.invitation, tester)
      const stranger = { ...probe.device, chain: host.chain }
      const guest = await guestOf(stranger, tester.clock.now() + HOUR_MS, tester)
      const session = new HandmadeSession(guest, tester)
      await session.write({})
      return { run: session.run(), what: 'a session of a device whose admissions do not follow' }
    },
  ],
  [
    'R-MEMBER-1',
    async (tester, probe) => {
      const session = begin(tester, probe)
      await session.write({})
      const run = session.run()
      return {
        run: { ...run, opening: { ...run.opening!, chain: [] } },
        what: 'a session of a device that nobody admitted',
      }
    },
  ],
  [
    'R-OPENING-4',
    async (tester, probe) => {
      const session = begin(tester, probe, { admission: new Uint8Array(32) })
      await session.write({})
      return { run: session.run(), what: 'an opening that names another admission' }
    },
  ],
  [
    'R-OPENING-1',
    async (tester, probe) => {
      const session = begin(tester, probe)
      await session.write({})
      const other = makeOpening({ ...session.record.opening, nonce: tester.random.bytes(16) })
      const run = session.run()
      return {
        run: { ...run, opening: { ...run.opening!, bytes: other.bytes } },
        what: 'a session under the opening of another one',
      }
    },
  ],
  [
    'R-EXTENSION-1',
    async (tester, probe) => {
      const session = begin(tester, probe, {
        extensions: [
          [3, 0],
          [1, 0],
        ],
      })
      await session.write({})
      return { run: session.run(), what: 'an extension whose key is lower than the one before it' }
    },
  ],
  [
    'R-EXTENSION-2',
    async (tester, probe) => {
      const session = begin(tester, probe, { extensions: [[1, new Uint8Array(1_024)]] })
      await session.write({})
      return { run: session.run(), what: 'a list of extensions of more than 1,024 bytes' }
    },
  ],
]
