import { availableParallelism } from 'node:os'

import { readArguments } from '../arguments.ts'
import { peers } from './peers.ts'
import { runPeer, type Figures } from './run.ts'

const OURS = 'peerplane'

/**
 * Rows: writing, opening, catching up and live updates, of this product and of what one would use instead, run alternately.
 * Prints the medians, and ours in relation to each peer; exits with 1 only if a run failed.
 */
export async function benchRows(args: readonly string[]): Promise<number> {
  const usage = `usage: npm run bench -- rows [--peers ${Object.keys(peers).join(',')}] [--entities 10000] [--runs 3]`
  const { values } = await readArguments(usage, {
    args: [...args],
    options: {
      peers: { type: 'string', default: Object.keys(peers).join(',') },
      entities: { type: 'string', default: '10000' },
      runs: { type: 'string', default: '3' },
    },
  })
  const names = values.peers.split(',')
  const unknown = names.filter((name) => !Object.hasOwn(peers, name))
  const [entities, runs] = [Number(values.entities), Number(values.runs)] as const
  if (unknown.length > 0 || !(entities > 0) || !(runs > 0)) {
    console.error(usage)
    return 2
  }
  const figures = new Map<string, Figures[]>(names.map((name) => [name, []]))
  for (let run = 0; run < runs; run++) {
    for (const name of names) {
      figures.get(name)!.push(await runPeer(name, entitiesOf(name, entities)))
      console.error(`run ${run + 1} of ${runs}: ${name}`)
    }
  }
  const results = new Map([...figures].map(([name, all]) => [name, medians(all)]))
  console.log(JSON.stringify(summary(results, entities, runs), null, 2))
  return 0
}

const entitiesOf = (name: string, entities: number): number =>
  Math.min(entities, peers[name]!.maxEntities ?? Number.POSITIVE_INFINITY)

function summary(results: ReadonlyMap<string, Figures>, entities: number, runs: number): object {
  const ours = results.get(OURS)
  const others = [...results].filter(([name]) => name !== OURS)
  return {
    machine: `${availableParallelism()} cores, Node ${process.versions.node}`,
    entities,
    runs,
    peers: Object.fromEntries(
      [...results].map(([name, medianFigures]) => [
        name,
        {
          note: peers[name]!.note,
          entities: entitiesOf(name, entities),
          ...Object.fromEntries(
            Object.entries(medianFigures).map(([figure, value]) => [figure, round(value)]),
          ),
        },
      ]),
    ),
    ratios: ours
      ? Object.fromEntries(
          others.map(([name, theirs]) => [
            `${OURS} / ${name}`,
            ratios(ours, theirs, entities / entitiesOf(name, entities)),
          ]),
        )
      : {},
  }
}

/** Ours divided by theirs; what grows with the number of rows is compared per row. */
function ratios(ours: Figures, theirs: Figures, scale: number): Figures {
  const perRow = new Set([
    'diskBytes',
    'listMs',
    'catchUpDurableSeconds',
    'catchUpWireBytes',
    'writeCpuSeconds',
    'catchUpCpuSeconds',
  ])
  const others = ['writesPerSecond', 'writePeakMiB', 'firstMs', 'liveP50Ms', 'liveP99Ms']
  const compared = [...perRow, ...others]
  return Object.fromEntries(
    compared.map((figure) => [
      figure,
      round(ours[figure]! / theirs[figure]! / (perRow.has(figure) ? scale : 1)),
    ]),
  )
}

function medians(all: readonly Figures[]): Figures {
  return Object.fromEntries(
    Object.keys(all[0]!).map((figure) => [figure, median(all.map((each) => each[figure]!))]),
  )
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const round = (value: number): number =>
  Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
