import { ChangeSet, Text } from '@codemirror/state'

/** A shared text in one place, edited at once by others; an edit refers to the version that its author saw. */
export class Server {
  versions: string[] = ['']
  /** How each version came from the one before. */
  steps: ChangeSet[] = []

  get current() {
    return { text: this.versions.at(-1)!, version: String(this.versions.length - 1) }
  }

  edit(
    at: string,
    splices: readonly { index: number; deleteCount: number; insert: string }[],
  ): void {
    const base = Number(at)
    let text = Text.of(this.versions[base]!.split('\n'))
    let changes = ChangeSet.empty(text.length)
    for (const { index, deleteCount, insert } of splices) {
      const one = ChangeSet.of({ from: index, to: index + deleteCount, insert }, text.length)
      text = one.apply(text)
      changes = changes.compose(one)
    }
    for (const step of this.steps.slice(base)) changes = changes.map(step)
    this.steps.push(changes)
    this.versions.push(changes.apply(Text.of(this.current.text.split('\n'))).toString())
  }
}
