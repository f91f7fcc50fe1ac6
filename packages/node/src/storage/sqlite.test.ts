import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath, pid } from 'node:process'
import { DatabaseSync } from 'node:sqlite'

import { fromUtf8, utf8 } from '@peerplane/core'
import type { Store } from '@peerplane/core'
import { storeContract, storeCrashContract, type CrashFixture } from '@peerplane/core/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'

import { openSqliteStore } from './sqlite.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
const opened: Store[] = []
let files = 0

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()))
})
afterAll(() => rmSync(root, { recursive: true }))

const freshPath = (): string => join(root, `${++files}.db`)

async function open(path: string): Promise<Store> {
  const store = await openSqliteStore({ path })
  opened.push(store)
  return store
}

storeContract('SQLite', async () => {
  const path = freshPath()
  return { store: await openSqliteStore({ path }), reopen: () => openSqliteStore({ path }) }
})

/** Copies a store as it is on the disk at this moment, and says where to. */
function copyOf(path: string): string {
  const copy = freshPath()
  copyFileSync(path, copy)
  copyFileSync(`${path}-wal`, `${copy}-wal`)
  return copy
}

storeCrashContract('SQLite', async () => {
  const live = async (path: string): Promise<CrashFixture> => {
    const store = await openSqliteStore({ path })
    return {
      store,
      crash: async () => {
        const copy = copyOf(path)
        await store.close()
        return live(copy)
      },
    }
  }
  return live(freshPath())
})

const put = (key: string, value: string | Uint8Array) => ({
  key: utf8(key),
  value: typeof value === 'string' ? utf8(value) : value,
})
const everything = { from: new Uint8Array(0), to: Uint8Array.of(255) }

/** Runs a module in a process of its own, in which `openSqliteStore` and `utf8` are imported. */
function program(source: string): string[] {
  const imports = `import { openSqliteStore } from '${import.meta.resolve('./sqlite.ts')}'
    import { fromUtf8, utf8 } from '${import.meta.resolve('../../../core/src/index.ts')}'`
  return ['--conditions=@peerplane/source', '--input-type=module', '-e', `${imports}\n${source}`]
}

describe('one process per store', () => {
  it('a second opening of a store is refused immediately, with the id of the process that has the store open', async () => {
    const path = freshPath()
    await open(path)
    const second = spawnSync(
      execPath,
      program(`const at = performance.now()
        await openSqliteStore({ path: ${JSON.stringify(path)} }).catch((error) =>
          console.log(JSON.stringify([error.code, error.message, performance.now() - at])))`),
      { encoding: 'utf8' },
    )
    const [code, message, ms] = JSON.parse(second.stdout) as [string, string, number]
    expect(code).toBe('store-locked')
    expect(message).toContain(`process ${pid}`)
    expect(message).toContain('another data directory')
    expect(ms).toBeLessThan(500)
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store-locked' })
  })

  it('opens after its process was killed in the middle of writes, with all that was acknowledged and no half batch', async () => {
    const path = freshPath()
    let last = -1
    for (let life = 0; life < 4; life++) {
      // Batches of many pages, which are stored over the ones before them: a copy into the file may be in progress.
      const writer = spawn(
        execPath,
        program(`const store = await openSqliteStore({ path: ${JSON.stringify(path)} })
          for (let i = ${last + 1}; ; i++) {
            const writes = Array.from({ length: 40 }, (_, k) =>
              ({ key: utf8('k' + k), value: utf8(String(i).padEnd(3_000)) }))
            await store.write(writes, i % 2 ? 'local' : 'synced')
            process.stdout.write(i + '\\n')
          }`),
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      let acknowledged = ''
      let writes = 0
      writer.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        acknowledged += chunk
        if (++writes === 30 + 17 * life) writer.kill('SIGKILL')
      })
      await once(writer, 'close')
      const told = Number(acknowledged.split('\n').at(-2))
      const store = await openSqliteStore({ path })
      const entries = await store.scan(everything)
      await store.close()
      const found = new Set(entries.map(({ value }) => Number(fromUtf8(value))))
      expect(entries).toHaveLength(40)
      expect(found.size).toBe(1)
      const [kept] = found
      expect(told).toBeGreaterThan(last)
      expect(kept).toBeGreaterThanOrEqual(told)
      last = kept!
    }
  })

  it('opens after its log was cut off at any byte, with all that was flushed before and no half batch', async () => {
    const path = freshPath()
    const store = await openSqliteStore({ path })
    const sizes: number[] = []
    for (let i = 0; i < 30; i++) {
      const value = new Uint8Array(500 * (i % 5)).fill(i)
      await store.write([put('last', `${i}`), put('a', value), put('z', value)], 'synced')
      sizes.push(statSync(`${path}-wal`).size)
    }
    for (let turn = 0; turn < 60; turn++) {
      const size = sizes[0]! + ((turn * 7_919_003) % (sizes.at(-1)! - sizes[0]! + 1))
      const copy = copyOf(path)
      truncateSync(`${copy}-wal`, size)
      const left = await open(copy)
      const last = sizes.findLastIndex((each) => each <= size)
      expect(await left.get(utf8('last'))).toEqual(utf8(`${last}`))
      const [a, z] = await Promise.all([left.get(utf8('a')), left.get(utf8('z'))])
      expect(a).toEqual(new Uint8Array(500 * (last % 5)).fill(last))
      expect(z).toEqual(a)
    }
    await store.close()
  })
})

describe('damage', () => {
  async function filled(): Promise<string> {
    const path = freshPath()
    const store = await openSqliteStore({ path })
    const writes = Array.from({ length: 10_000 }, (_, i) => put(`key ${i}`, 'x'.repeat(500)))
    await store.write(writes, 'synced')
    await store.close()
    return path
  }

  it('a file that is not a database is refused and left alone', async () => {
    const path = freshPath()
    writeFileSync(path, 'not a database'.repeat(1_000))
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store-corrupt' })
    expect(readFileSync(path, 'utf8')).toBe('not a database'.repeat(1_000))
  })

  it('names a database of another program, and leaves it alone', async () => {
    const path = freshPath()
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE notes (text)')
    other.close()
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: 'store-corrupt',
      message: expect.stringContaining('another program') as string,
    })
  })

  it.each([
    ['its header', (size: number) => ({ at: 0, length: Math.min(64, size) })],
    ['its middle', (size: number) => ({ at: size / 2, length: 16_384 })],
    ['its schema', () => ({ at: 100, length: 3_996 })],
  ])('a store that was partly overwritten is refused: %s', async (_, where) => {
    const path = await filled()
    const { at, length } = where(statSync(path).size)
    const file = openSync(path, 'r+')
    writeSync(file, new Uint8Array(length).fill(0xa5), 0, length, at)
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store-corrupt' })
  })

  it('a flipped bit in the index of keys loses no pair', async () => {
    const path = freshPath()
    const [key, value] = [utf8('a key like no other'), utf8('its value')]
    const store = await openSqliteStore({ path })
    await store.write(
      [{ key, value }, ...['a', 'z'].map((each) => ({ key: utf8(each), value }))],
      'synced',
    )
    await store.close()
    const whole = readFileSync(path)
    const beside = (at: number): boolean =>
      whole
        .subarray(at + key.length)
        .subarray(0, value.length)
        .equals(value)
    let at = whole.indexOf(key)
    while (beside(at)) at = whole.indexOf(key, at + 1)
    // Its length, the types of its columns, and its first byte.
    for (let bit = -32; bit < 8; bit++) {
      const damaged = Buffer.from(whole)
      damaged[at + (bit >> 3)]! ^= 1 << (bit & 7)
      writeFileSync(path, damaged)
      const answer = openSqliteStore({ path }).then(async (again) => {
        const found = await again.get(key)
        await again.close()
        return found && fromUtf8(found)
      })
      expect(['its value', 'store-corrupt']).toContain(
        await answer.catch(({ code }) => code as string),
      )
    }
  })

  it('an emptied file counts as a lost store, and an unfinished new file as a new store', async () => {
    const path = await filled()
    truncateSync(path, 0)
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'storage-lost' })
    expect(statSync(path).size).toBe(0)
    const begun = freshPath()
    writeFileSync(begun, '', { mode: 0o600 })
    await (await openSqliteStore({ path: begun })).close()
  })

  it('maps damage that shows only when it is read', async () => {
    const path = await filled()
    const store = await open(path)
    // Behind the back of the store, whose cache is smaller than the file.
    const file = openSync(path, 'r+')
    const size = statSync(path).size
    writeSync(file, new Uint8Array(size - 8_192).fill(0xa5), 0, size - 8_192, 8_192)
    const scans = Promise.all([store.scan(everything), store.get(utf8('key 777'))])
    await expect(scans).rejects.toMatchObject({ code: 'store-corrupt' })
  })

  it('a database of a newer version is refused', async () => {
    const path = await filled()
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 2')
    database.close()
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store-version' })
  })

  it.each([0o640, 0o604, 0o644])(
    'a store that others can read is refused: mode %o',
    async (mode) => {
      const path = freshPath()
      await (await open(path)).close()
      expect(statSync(path).mode & 0o777).toBe(0o600)
      chmodSync(path, mode)
      await expect(openSqliteStore({ path })).rejects.toMatchObject({
        code: 'exposed-secret',
        message: expect.stringMatching(/has mode 6[0-9]{2}, not 600.*chmod 600/) as string,
      })
    },
  )

  it('names a directory that does not exist', async () => {
    const path = join(root, 'no', 'such.db')
    await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: 'store-failed' })
  })
})

describe('disks that refuse', () => {
  /** Runs the program with a file system of 1 MiB at `directory`, in a mount namespace that ends with it. */
  const onSmallDisk = (directory: string, source: string): string[] => [
    '-c',
    `exec unshare --user --map-root-user --mount sh -c 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"' "$@"`,
    'sh',
    directory,
    execPath,
    ...program(source),
  ]

  it('a store reports a full disk, keeps reading, and writes again when there is room', () => {
    const directory = mkdtempSync(join(root, 'full-'))
    const run = spawnSync(
      'sh',
      onSmallDisk(
        directory,
        `import { rmSync, writeFileSync } from 'node:fs'
        const directory = ${JSON.stringify(directory)}
        writeFileSync(directory + '/ballast', new Uint8Array(400_000))
        const store = await openSqliteStore({ path: directory + '/store.db' })
        const write = (i) => store.write([{ key: utf8('k' + i), value: new Uint8Array(20_000).fill(1) }], 'synced')
        const seen = { stored: 0, codes: [] }
        for (let i = 0; i < 100 && seen.codes.length < 3; i++)
          await write(i).then(() => seen.stored++, (error) => seen.codes.push(error.code))
        const count = async () => (await store.scan({ from: utf8(''), to: utf8('z') })).length
        seen.readable = await count()
        rmSync(directory + '/ballast')
        await write('after')
        seen.after = await count()
        await store.close()
        const again = await openSqliteStore({ path: directory + '/store.db' })
        seen.reopened = (await again.scan({ from: utf8(''), to: utf8('z') })).length
        console.log(JSON.stringify(seen))`,
      ),
      { encoding: 'utf8' },
    )
    expect(run.stderr).not.toContain('rror')
    const seen = JSON.parse(run.stdout) as Record<string, number>
    const { stored } = seen
    expect(stored).toBeGreaterThan(3)
    expect(seen).toEqual({
      stored,
      codes: ['store-full', 'store-full', 'store-full'],
      readable: stored,
      after: stored! + 1,
      reopened: stored! + 1,
    })
  })

  it('refuses all further writes after the disk failed one, and keeps reading', () => {
    const directory = mkdtempSync(join(root, 'limited-'))
    // No file may grow beyond 256 blocks: the system refuses the write of the log.
    const run = spawnSync(
      'sh',
      [
        '-c',
        'ulimit -f 256 && exec "$@"',
        'sh',
        execPath,
        ...program(`const store = await openSqliteStore({ path: ${JSON.stringify(join(directory, 'store.db'))} })
        const write = (i, size) => store.write([{ key: utf8('k' + i), value: new Uint8Array(size) }], 'synced')
        const seen = { stored: 0, codes: [] }
        for (let i = 0; i < 100 && seen.codes.length < 1; i++)
          await write(i, 20_000).then(() => seen.stored++, (error) => seen.codes.push(error.code))
        await write('small', 1).catch((error) => seen.codes.push(error.code))
        seen.readable = (await store.scan({ from: utf8(''), to: utf8('z') })).length
        await store.close()
        console.log(JSON.stringify(seen))`),
      ],
      { encoding: 'utf8' },
    )
    const seen = JSON.parse(run.stdout) as { stored: number }
    expect(seen.stored).toBeGreaterThan(1)
    expect(seen).toEqual({
      stored: seen.stored,
      codes: ['store-failed', 'store-failed'],
      readable: seen.stored,
    })
  })
})

it('only the owner of a store can read it', async () => {
  const path = freshPath()
  const store = await open(path)
  await store.write([put('a', '1')], 'synced')
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
})

describe('transactions', () => {
  it('keeps the log of writes bounded', async () => {
    const path = freshPath()
    const store = await open(path)
    for (let i = 0; i < 200; i++) {
      await store.write([put(`key ${i}`, new Uint8Array(100_000).fill(i))], 'local')
    }
    expect(statSync(path).size).toBeGreaterThan(14_000_000)
    expect(statSync(`${path}-wal`).size).toBeLessThan(6_000_000)
  })

  it('flushes what was written before, although a synced write changes nothing', async () => {
    const path = freshPath()
    const store = await open(path)
    await store.write([put('a', '1')], 'synced')
    for (const writes of [[put('a', '2')], []]) {
      await store.write([put('a', '2')], 'local')
      const before = statSync(`${path}-wal`).size
      await store.write(writes, 'synced')
      expect(statSync(`${path}-wal`).size).toBeGreaterThan(before)
    }
  })

  it('shares one transaction among the writes of a turn', async () => {
    const path = freshPath()
    const store = await open(path)
    const walSize = (): number => statSync(`${path}-wal`).size
    await store.write([put('a', '1')], 'synced')
    const before = walSize()
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.write([put(`${i}`, '')], 'synced')),
    )
    // Two pages, once: the row and its index.
    expect(walSize() - before).toBeLessThan(3 * (4_096 + 24))
  })
})
