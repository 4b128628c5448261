import { isList, isObject, type Json, JsonNumber } from './json-value.ts'

/** A path into JSON (the language of SQL/JSON): `$.a.b[0]`, `$.*`, `$[*]`, `$[1 to 3]`, `$[last]`, `$.a?(@.b > 1)`, `$.**`. */
export type JsonPath = readonly Step[]

type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'anyMember' | 'anyItem' | 'descend' }
  | { readonly kind: 'items'; readonly ranges: readonly (readonly [from: Index, to: Index])[] }
  | { readonly kind: 'filter'; readonly test: Test }

interface Index {
  /** Counted from the end: `last - 1`. */
  readonly fromLast: boolean
  readonly offset: number
}

type Operand = { readonly path: JsonPath; readonly isRoot: boolean } | { readonly value: Json }
type Test =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Test[] }
  | { readonly kind: 'not'; readonly part: Test }
  | { readonly kind: 'exists'; readonly operand: Operand }
  | { readonly kind: 'compare'; readonly op: string; readonly left: Operand; readonly right: Operand }

/** @throws SyntaxError for what is no path. */
export function parseJsonPath(text: string): JsonPath {
  const reader = new PathReader(text)
  const path = reader.path('$')
  reader.end()
  return path
}

/** All values that a path leads to. */
export function selectJson(root: Json, path: JsonPath): Json[] {
  return walk([root], path, root)
}

function walk(start: readonly Json[], path: JsonPath, root: Json): Json[] {
  let values = [...start]
  for (const step of path) values = values.flatMap((value) => take(value, step, root))
  return values
}

function take(value: Json, step: Step, root: Json): readonly Json[] {
  switch (step.kind) {
    case 'member': {
      // A list stands for its items, as in the lax mode of SQL/JSON.
      if (isList(value)) return value.flatMap((item) => (isObject(item) ? take(item, step, root) : []))
      const member = isObject(value) ? value.get(step.name) : undefined
      return member === undefined ? [] : [member]
    }
    case 'anyMember':
      return isObject(value) ? [...value.values()] : []
    case 'anyItem':
      return isList(value) ? value : [value]
    case 'descend':
      return [value, ...childrenOf(value).flatMap((child) => take(child, step, root))]
    case 'items': {
      const items = isList(value) ? value : [value]
      return step.ranges.flatMap(([from, to]) => items.slice(Math.max(0, at(from, items)), at(to, items) + 1))
    }
    case 'filter': {
      const candidates = isList(value) ? value : [value]
      return candidates.filter((candidate) => holds(step.test, candidate, root))
    }
  }
}

function childrenOf(value: Json): readonly Json[] {
  if (isList(value)) return value
  return isObject(value) ? [...value.values()] : []
}

const at = (index: Index, items: readonly Json[]): number =>
  index.fromLast ? items.length - 1 + index.offset : index.offset

function holds(test: Test, current: Json, root: Json): boolean {
  switch (test.kind) {
    case 'and':
      return test.parts.every((part) => holds(part, current, root))
    case 'or':
      return test.parts.some((part) => holds(part, current, root))
    case 'not':
      return !holds(test.part, current, root)
    case 'exists':
      return valuesOf(test.operand, current, root).length > 0
    case 'compare': {
      const right = valuesOf(test.right, current, root)
      return valuesOf(test.left, current, root).some((a) => right.some((b) => compares(test.op, a, b)))
    }
  }
}

function valuesOf(operand: Operand, current: Json, root: Json): readonly Json[] {
  return 'value' in operand ? [operand.value] : walk([operand.isRoot ? root : current], operand.path, root)
}

function compares(op: string, a: Json, b: Json): boolean {
  if (op === 'starts with') return typeof a === 'string' && typeof b === 'string' && a.startsWith(b)
  const order = orderOf(a, b)
  if (order === undefined) return false
  switch (op) {
    case '==':
    case '=':
      return order === 0
    case '!=':
    case '<>':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    default:
      return order >= 0
  }
}

function orderOf(a: Json, b: Json): number | undefined {
  if (a instanceof JsonNumber && b instanceof JsonNumber) return a.valueOf() - b.valueOf()
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  return a === null && b === null ? 0 : undefined
}

class PathReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text.trim().replace(/^(?:lax|strict)\s+/, '')
  }

  end(): void {
    this.#space()
    if (this.#at < this.#text.length) throw this.#error()
  }

  path(root: string): JsonPath {
    this.#space()
    if (this.#takes(root)) return this.#steps()
    // Names alone start at the root as well.
    const name = root === '$' ? this.#name() : undefined
    if (name === undefined) throw this.#error()
    return [{ kind: 'member', name }, ...this.#steps()]
  }

  #steps(): Step[] {
    const steps: Step[] = []
    for (;;) {
      this.#space()
      if (this.#takes('.**')) steps.push({ kind: 'descend' })
      else if (this.#takes('.*')) steps.push({ kind: 'anyMember' })
      else if (this.#takes('.') || this.#takes(':')) {
        const name = this.#name()
        if (name === undefined) throw this.#error()
        steps.push({ kind: 'member', name })
      } else if (this.#takes('[')) steps.push(this.#subscript())
      else if (this.#takes('?')) {
        this.#space()
        if (!this.#takes('(')) throw this.#error()
        const test = this.#or()
        this.#expect(')')
        steps.push({ kind: 'filter', test })
      } else return steps
    }
  }

  #subscript(): Step {
    this.#space()
    if (this.#takes('*')) {
      this.#expect(']')
      return { kind: 'anyItem' }
    }
    const quoted = this.#quoted()
    if (quoted !== undefined) {
      this.#expect(']')
      return { kind: 'member', name: quoted }
    }
    const ranges: [Index, Index][] = []
    do {
      const from = this.#index()
      this.#space()
      ranges.push([from, this.#takes('to') ? this.#index() : from])
      this.#space()
    } while (this.#takes(','))
    this.#expect(']')
    return { kind: 'items', ranges }
  }

  #index(): Index {
    this.#space()
    if (this.#takes('last')) {
      const offset = this.#match(/\s*[+-]\s*\d+/y)
      return { fromLast: true, offset: offset === undefined ? 0 : Number(offset.replace(/\s/g, '')) }
    }
    const number = this.#match(/-?\d+/y)
    if (number === undefined) throw this.#error()
    return {
      fromLast: number.startsWith('-'),
      offset: number.startsWith('-') ? Number(number) + 1 : Number(number),
    }
  }

  #or(): Test {
    const parts = [this.#and()]
    while (this.#takesAfterSpace('||')) parts.push(this.#and())
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts }
  }

  #and(): Test {
    const parts = [this.#test()]
    while (this.#takesAfterSpace('&&')) parts.push(this.#test())
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts }
  }

  #test(): Test {
    this.#space()
    if (this.#takes('!')) return { kind: 'not', part: this.#test() }
    if (this.#takes('exists')) {
      this.#expect('(')
      const operand = this.#operand()
      this.#expect(')')
      return { kind: 'exists', operand }
    }
    if (this.#takes('(')) {
      const test = this.#or()
      this.#expect(')')
      return test
    }
    const left = this.#operand()
    this.#space()
    const op = this.#match(/==|=|!=|<>|<=|>=|<|>|starts with/y)
    if (op === undefined) return { kind: 'exists', operand: left }
    return { kind: 'compare', op, left, right: this.#operand() }
  }

  #operand(): Operand {
    this.#space()
    if (this.#text[this.#at] === '@') return { path: this.path('@'), isRoot: false }
    if (this.#text[this.#at] === '$') return { path: this.path('$'), isRoot: true }
    const text = this.#quoted()
    if (text !== undefined) return { value: text }
    const word = this.#match(/null|true|false/y)
    if (word !== undefined) return { value: word === 'null' ? null : word === 'true' }
    const number = this.#match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
    if (number === undefined) throw this.#error()
    return { value: new JsonNumber(number) }
  }

  #name(): string | undefined {
    return this.#quoted() ?? this.#match(/[\p{L}\p{N}_$-]+/uy)
  }

  #quoted(): string | undefined {
    const raw = this.#match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y)
    return raw?.slice(1, -1).replace(/\\(.)/g, '$1')
  }

  #space(): void {
    this.#match(/\s*/y)
  }

  #takesAfterSpace(word: string): boolean {
    this.#space()
    return this.#takes(word)
  }

  #takes(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #expect(word: string): void {
    if (!this.#takesAfterSpace(word)) throw this.#error()
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #error(): Error {
    return new SyntaxError(`at character ${this.#at + 1}`)
  }
}
