import { entity, record, register, Rejected, text } from '@peerplane/browser'

/** One replacement in a text: `deleteCount` characters at `index` give way to `insert`. */
export interface Splice {
  readonly index: number
  readonly deleteCount: number
  readonly insert: string
}

/** A text that several people write at once. */
export const Note = entity('note', {
  state: record({ text: text() }),
  commands: {
    edit(note, { splices }: { splices: readonly Splice[] }) {
      for (const { index, deleteCount, insert } of splices) {
        note.text.splice(index, deleteCount, insert)
        checkLines(note.text.value, index, index + insert.length)
      }
    },
  },
})

/** The columns of the board, from left to right. */
export const columns = ['todo', 'doing', 'done'] as const
export type Column = (typeof columns)[number]

/** A task on the board. Its place is a number between those of its neighbours. */
export const Task = entity('task', {
  state: record({
    title: register(''),
    column: register<string>('todo'),
    place: register(0),
    removed: register(false),
  }),
  commands: {
    add(task, { title, place }: { title: string; place: number }) {
      task.title.set(checkedTitle(title))
      task.place.set(place)
    },
    rename(task, { title }: { title: string }) {
      task.title.set(checkedTitle(title))
    },
    move(task, { column, place }: { column: Column; place: number }) {
      if (task.removed.value) throw new Rejected('removed', 'this task was removed')
      task.column.set(column)
      task.place.set(place)
    },
    remove(task) {
      task.removed.set(true)
    },
  },
})

export const entities = [Note, Task] as const

/** Editors are slow with longer ones. */
const LONGEST_LINE = 100_000

/** Checks the lines of a text between two places. */
function checkLines(text: string, from: number, to: number): void {
  const start = text.lastIndexOf('\n', from - 1) + 1
  const end = text.indexOf('\n', to)
  const lines = text.slice(start, end < 0 ? undefined : end).split('\n')
  if (lines.some(({ length }) => length > LONGEST_LINE)) {
    throw new Rejected('long-line', 'a line of the notes holds at most 100,000 characters')
  }
}

function checkedTitle(title: string): string {
  const trimmed = title.trim()
  if (trimmed === '') throw new Rejected('empty-title', 'a task needs a title')
  if (trimmed.length > 200) throw new Rejected('long-title', 'a title has at most 200 characters')
  return trimmed
}
