import { expect, test } from 'vitest'
import { HeaderList } from '../../src/http/answer/header-list.ts'

test('it does what the Headers of fetch do', () => {
  for (const headers of [new HeaderList({ B: '1' }), new Headers({ B: '1' })]) {
    headers.set('Authorization', ' \tBearer x\n')
    headers.append('a', '1')
    headers.append('A', '2')
    headers.set('gone', 'x')
    headers.delete('GONE')
    expect([...headers]).toEqual([
      ['a', '1, 2'],
      ['authorization', 'Bearer x'],
      ['b', '1'],
    ])
    expect(Object.fromEntries(headers.entries())).toEqual({ a: '1, 2', authorization: 'Bearer x', b: '1' })
    expect([...headers.keys()]).toEqual(['a', 'authorization', 'b'])
    expect([...headers.values()]).toEqual(['1, 2', 'Bearer x', '1'])
    expect([headers.get('AUTHORIZATION'), headers.get('gone'), headers.has('B')]).toEqual([
      'Bearer x',
      null,
      true,
    ])
    const seen: string[] = []
    headers.forEach((value, name, all) => {
      seen.push(name, value, String(all === headers))
    })
    expect(seen).toEqual(['a', '1, 2', 'true', 'authorization', 'Bearer x', 'true', 'b', '1', 'true'])
    expect(headers.getSetCookie()).toEqual([])
    expect(new Headers(headers).get('b')).toBe('1')
    headers.set('latin', 'é')
    for (const value of ['a\nb', 'a\0', '☃']) expect(() => headers.set('x', value)).toThrow(TypeError)
    for (const name of ['', 'a b', 'a:', 'ä']) expect(() => headers.set(name, 'x')).toThrow(TypeError)
  }
})

test('an error never repeats a value, which may be a secret', () => {
  const headers = new HeaderList()
  for (const set of [() => headers.set('x', 'hunter2\n☃'), () => headers.set('hunter2 ☃', 'x')]) {
    expect(set).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }))
  }
})
