import { describe, expect, it } from 'vitest'

import { utf8 } from '@peerplane/core'

import { flagOf, resolveConfig, settings, variableOf } from './config.ts'

const raw = (bytes: Uint8Array) => ({ path: 'peerplane.json', bytes })
const file = (content: unknown) => raw(utf8(JSON.stringify(content)))
const empty = { flags: {}, environment: {} }

describe('resolveConfig', () => {
  it('gives every default', () => {
    const defaults = Object.entries(settings).map(([name, setting]) => [name, setting.default])
    expect(resolveConfig(empty)).toEqual(Object.fromEntries(defaults))
  })

  it('takes flags before the environment before the file', () => {
    const config = resolveConfig({
      flags: { port: '1' },
      environment: { PEERPLANE_PORT: '2', PEERPLANE_TCP_PORT: '2', HOME: 'x' },
      file: file({ port: 3, tcpPort: 3, httpPort: 3 }),
    })
    expect(config).toMatchObject({ port: 1, tcpPort: 2, httpPort: 3 })
  })

  it('reads every kind of value from JSON and from text', () => {
    const announce = ['/dns4/anchor.example/tcp/443/wss', '/ip4/192.0.2.1/tcp/7421']
    expect(resolveConfig({ ...empty, file: file({ anchor: true, announce }) })).toMatchObject({
      anchor: true,
      announce,
    })
    const environment = { PEERPLANE_ANCHOR: 'false', PEERPLANE_ANNOUNCE: announce.join(',') }
    const flags = { anchor: true, 'http-port': '0' }
    expect(resolveConfig({ flags, environment })).toMatchObject({
      anchor: true,
      announce,
      httpPort: 0,
    })
  })

  it.each([
    [{ ...empty, file: file({ prot: 1 }) }, 'peerplane.json: prot', 'port'],
    [{ ...empty, file: file({ tcp_port: 1 }) }, 'peerplane.json: tcp_port', 'tcpPort'],
    [{ ...empty, flags: { dat: 'x' } }, '--dat', '--data'],
    [{ ...empty, environment: { PEERPLANE_TCPPORT: '1' } }, 'TCPPORT', 'PEERPLANE_TCP_PORT'],
  ])('the error about an unknown key names the nearest known key', (sources, key, near) => {
    expect(() => resolveConfig(sources)).toThrow(
      expect.objectContaining({
        code: 'invalid-configuration',
        message: expect.stringMatching(
          new RegExp(`${key} is unknown; the nearest known key is ${near}\\.`),
        ) as string,
      }),
    )
  })

  it('reads a file that an editor has begun with a byte order mark', () => {
    const source = raw(utf8(`\uFEFF${JSON.stringify({ space: '\uFEFFteam' })}`))
    expect(resolveConfig({ ...empty, file: source }).space).toBe('\uFEFFteam')
  })

  it.each([
    [file({ port: 65_536 }), 'port must be a number from 0 to 65535, not 65536'],
    [file({ port: '1e3' }), 'port must be a number'],
    [file({ port: 1.5 }), 'port must be a number'],
    [file({ anchor: 'yes' }), 'anchor must be true or false, not "yes"'],
    [file({ data: '' }), 'data must be a string'],
    [file({ announce: [1] }), 'announce must be a list of multiaddresses'],
    [file([]), 'must hold an object'],
    [raw(Uint8Array.of(0x22, 0xff, 0x22)), 'peerplane.json is not JSON'],
    [raw(utf8('{')), 'peerplane.json is not JSON'],
  ])('an invalid value of a configuration key is refused', (source, reason) => {
    expect(() => resolveConfig({ ...empty, file: source })).toThrow(reason)
  })
})

it('spells names for flags and for the environment', () => {
  expect(flagOf('tcpPort')).toBe('tcp-port')
  expect(variableOf('tcpPort')).toBe('PEERPLANE_TCP_PORT')
})
