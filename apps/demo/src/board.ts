import type { Plane, ListedEntity, StateOf } from '@peerplane/browser'

import { h } from './dom.ts'
import { columns, Task, type Column } from './entities.ts'

type TaskRow = ListedEntity<StateOf<typeof Task>>

const titles: Readonly<Record<Column, string>> = { todo: 'To do', doing: 'Doing', done: 'Done' }

/** The board of all tasks in `parent`. */
export function openBoard(
  parent: HTMLElement,
  plane: Plane,
  failed: (error: unknown) => void,
): void {
  const lists = new Map(columns.map((column) => [column, h('ul', { 'data-column': column })]))
  let rows: readonly TaskRow[] = []
  let cards: ReadonlyMap<string, ReturnType<typeof drawn>> = new Map()
  const run = (command: Promise<unknown>): void => void command.catch(failed)
  const inColumn = (column: Column): TaskRow[] =>
    rows
      .filter(({ state }) => !state.removed && state.column === column)
      .sort((a, b) => a.state.place - b.state.place || (a.id < b.id ? -1 : 1))

  const moveTo = (id: string, column: Column, before: string | undefined): void => {
    const others = inColumn(column).filter((row) => row.id !== id)
    const index =
      before === undefined ? others.length : others.findIndex((row) => row.id === before)
    const above = others[index - 1]?.state.place
    const below = others[index]?.state.place
    const place =
      above === undefined ? (below ?? 1) - 1 : below === undefined ? above + 1 : (above + below) / 2
    run(plane.get(Task, id).move({ column, place }))
  }

  const card = ({ id, state }: TaskRow): HTMLElement => {
    const column = state.column as Column
    const title = h('span', { class: 'title' }, state.title)
    const buttons = columns
      .filter((other) => other !== column)
      .map((other) => {
        const label = `Move to ${titles[other]}`
        const button = h('button', { type: 'button', 'aria-label': label }, titles[other])
        button.addEventListener('click', () => moveTo(id, other, undefined))
        return button
      })
    const remove = h('button', { type: 'button', 'aria-label': 'Remove', title: 'Remove' }, '×')
    remove.addEventListener('click', () => run(plane.get(Task, id).remove()))
    const moves = h('div', { class: 'moves' }, ...buttons, remove)
    const item = h('li', { draggable: 'true', 'data-task': id }, title, moves)
    item.addEventListener('dragstart', (event) => event.dataTransfer?.setData('text/plain', id))
    item.addEventListener('drop', (event) => {
      event.preventDefault()
      event.stopPropagation()
      const dragged = event.dataTransfer?.getData('text/plain')
      if (dragged && dragged !== id) moveTo(dragged, column, id)
    })
    return item
  }

  // Only changed cards are drawn again: focus and a card being dragged survive the edits of others.
  const drawn = (row: TaskRow): { state: TaskRow['state']; element: HTMLElement } => {
    const known = cards.get(row.id)
    return known?.state === row.state ? known : { state: row.state, element: card(row) }
  }
  const show = (next: readonly TaskRow[]): void => {
    rows = next
    cards = new Map(rows.map((row) => [row.id, drawn(row)]))
    for (const [column, list] of lists) {
      const elements = inColumn(column).map(({ id }) => cards.get(id)!.element)
      const same = elements.every((element, i) => list.children[i] === element)
      if (!same || list.children.length !== elements.length) list.replaceChildren(...elements)
    }
  }

  for (const [column, list] of lists) {
    parent.append(columnOf(titles[column], list, (id) => moveTo(id, column, undefined)))
  }
  lists.get('todo')!.after(newTask(plane, () => inColumn('todo').at(-1)?.state.place ?? 0, run))
  plane.subscribe(Task, show)
}

/** A column under its title, onto which cards can be dropped. */
function columnOf(title: string, list: HTMLElement, dropped: (id: string) => void): HTMLElement {
  const column = h('section', { class: 'column' }, h('h3', {}, title), list)
  column.addEventListener('dragover', (event) => event.preventDefault())
  column.addEventListener('drop', (event) => {
    event.preventDefault()
    const id = event.dataTransfer?.getData('text/plain')
    if (id) dropped(id)
  })
  return column
}

function newTask(
  plane: Plane,
  lastPlace: () => number,
  run: (command: Promise<unknown>) => void,
): HTMLElement {
  const input = h('input', { placeholder: 'New task', 'aria-label': 'New task', maxlength: '200' })
  const form = h('form', { class: 'new-task' }, input)
  // Of the last task added here: the board may show it a little later.
  let place = 0
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const title = input.value
    if (title.trim() === '') return
    input.value = ''
    place = Math.max(place, lastPlace()) + 1
    const added = plane.get(Task, crypto.randomUUID()).add({ title, place })
    // Ignored: `run` shows it; what could not be added is there to be added again.
    added.catch(() => (input.value ||= title))
    run(added)
  })
  return form
}
