import { ChangeSet, Text } from '@codemirror/state'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  bind,
  confirmed,
  rebound,
  received,
  refused,
  send,
  typed,
  type Binding,
  type BindingUpdate,
} from './text-binding.ts'
import { Server } from './server.fixture.test.ts'

class Editor {
  binding: Binding
  text: string

  /** The shared text that was shown last. */
  shown: string

  constructor(server: Server) {
    this.binding = bind(server.current)
    this.text = server.current.text
    this.shown = this.text
  }

  /** As a subscription does: a text that equals the one before is not shown. */
  receive({ current }: Server): void {
    if (current.text === this.shown) return
    this.shown = current.text
    this.take(received(this.binding, current))
  }

  type(position: number, deleteCount: number, insert: string): void {
    const from = position % (this.text.length + 1)
    const to = Math.min(this.text.length, from + deleteCount)
    const changes = ChangeSet.of({ from, to, insert }, this.text.length)
    this.text = changes.apply(Text.of(this.text.split('\n'))).toString()
    this.binding = typed(this.binding, changes)
  }

  take({ binding, changes }: BindingUpdate): void {
    this.binding = binding
    if (changes) this.text = changes.apply(Text.of(this.text.split('\n'))).toString()
  }
}

const action = fc.record({
  who: fc.nat(1),
  what: fc.constantFrom('type', 'send', 'receive', 'confirm', 'confirm before it is shown'),
  position: fc.nat(30),
  deleteCount: fc.nat(3),
  insert: fc.constantFrom('', 'a', 'bc', '\n', 'd e'),
})

test('two editors show the shared text once everything was sent, and no typed character is lost', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const server = new Server()
      const editors = [new Editor(server), new Editor(server)] as const
      const onTheWay = [false, false]
      const made = [false, false]
      const trySend = (who: 0 | 1): void => {
        const out = send(editors[who].binding)
        if (!out) return
        editors[who].binding = out.binding
        onTheWay[who] = true
        server.edit(out.at, out.splices)
        made[who] = true
      }
      const tryConfirm = (who: 0 | 1, shown = true): void => {
        if (!onTheWay[who] || !made[who]) return
        if (shown) editors[who].receive(server)
        editors[who].take(confirmed(editors[who].binding, true))
        onTheWay[who] = false
      }
      for (const { who, what, position, deleteCount, insert } of actions) {
        const index = who as 0 | 1
        if (what === 'type') editors[index].type(position, deleteCount, insert)
        else if (what === 'send') trySend(index)
        else if (what === 'confirm') tryConfirm(index)
        else if (what === 'confirm before it is shown') tryConfirm(index, false)
        else if (what === 'receive') editors[index].receive(server)
      }
      for (let round = 0; round < 3; round++) {
        for (const who of [0, 1] as const) {
          tryConfirm(who)
          trySend(who)
          tryConfirm(who)
          editors[who].receive(server)
        }
      }
      expect(editors[0].text).toBe(server.current.text)
      expect(editors[1].text).toBe(server.current.text)
    }),
    { numRuns: 500 },
  )
})

test('an edit that was refused is sent again, rebased on the newest text', () => {
  const server = new Server()
  const editor = new Editor(server)
  editor.type(0, 0, 'mine')
  editor.binding = send(editor.binding)!.binding
  editor.type(4, 0, '!')
  server.edit('0', [{ index: 0, deleteCount: 0, insert: 'theirs ' }])
  editor.take(received(editor.binding, server.current))
  expect(editor.text).toBe('mine!')
  editor.take(refused(editor.binding))
  expect(editor.text).toContain('theirs')
  expect(editor.text).toContain('mine!')
  const out = send(editor.binding)!
  server.edit(out.at, out.splices)
  expect(server.current.text).toBe(editor.text)
})

test('an edit that is confirmed before it is shown lands with the next text, and what was typed since is sent', () => {
  const server = new Server()
  const editor = new Editor(server)
  editor.type(0, 0, 'one')
  const first = send(editor.binding)!
  editor.binding = first.binding
  server.edit(first.at, first.splices)
  editor.type(3, 0, ' two')
  editor.take(confirmed(editor.binding, true))
  expect(send(editor.binding)).toBeUndefined()
  editor.take(received(editor.binding, server.current))
  expect(editor.text).toBe('one two')
  const second = send(editor.binding)!
  server.edit(second.at, second.splices)
  expect(server.current.text).toBe('one two')
})

test('an edit that leaves the text as it was is over when it is confirmed: no new text may come', () => {
  const server = new Server()
  const editor = new Editor(server)
  const at = server.current.version
  server.edit(at, [{ index: 0, deleteCount: 0, insert: 'same' }])
  editor.take(received(editor.binding, server.current))
  editor.type(0, 1, 's')
  editor.binding = send(editor.binding)!.binding
  editor.take(confirmed(editor.binding, true))
  editor.type(4, 0, '!')
  expect(send(editor.binding)!.splices).toEqual([{ index: 4, deleteCount: 0, insert: '!' }])
})

test('an edit without effect is over when it is confirmed, and the editor shows the shared text', () => {
  const server = new Server()
  const editor = new Editor(server)
  editor.type(0, 0, 'nobody takes this')
  editor.binding = send(editor.binding)!.binding
  editor.type(0, 0, 'kept')
  editor.take(confirmed(editor.binding, false))
  expect(editor.text).toBe('kept')
  expect(send(editor.binding)!.splices).toEqual([{ index: 0, deleteCount: 0, insert: 'kept' }])
})

test('after a step that failed, everything that the editor shows is sent, and nothing of others is lost', () => {
  const server = new Server()
  const editor = new Editor(server)
  editor.type(0, 0, 'mine')
  editor.binding = send(editor.binding)!.binding
  editor.type(4, 0, '!')
  server.edit('0', [{ index: 0, deleteCount: 0, insert: 'theirs ' }])
  editor.take(received(editor.binding, server.current))
  editor.take(rebound(editor.binding, editor.text))
  const out = send(editor.binding)!
  server.edit(out.at, out.splices)
  expect(server.current.text).toContain('theirs')
  expect(server.current.text).toContain('mine!')
  expect(server.current.text).toBe(editor.text)
})
