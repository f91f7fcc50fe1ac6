import { relative } from 'node:path'

import { BaseSequencer, type TestSpecification } from 'vitest/node'

import { mayTake } from './budget.mjs'
import { ROOT } from './toolchain.mjs'

/** Files that may take longest start first: one that starts last would run alone. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId }: TestSpecification): number => mayTake(relative(ROOT, moduleId))
    return (await super.sort(files)).sort((a, b) => seconds(b) - seconds(a))
  }
}
