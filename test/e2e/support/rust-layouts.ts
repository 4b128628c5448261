import { dynamicType, fixedType, type Member, type UserDefinedType } from '../../../src/transit/reflection.ts'

/**
 * The record layouts that the Rust SDK sends: nested handles of 16 bytes, padding, `StaticString`. Only readers meet
 * them, since this SDK packs its records.
 */

/** A member that holds a type of the same array in place. */
function nested(name: string, typeName: string, offset: number): Member {
  return { name, typeName, offset, size: 16, isReference: false }
}

function plain(name: string, typeName: 'i64' | 'u64' | 'u32', offset: number): Member {
  return { name, typeName, offset, size: typeName === 'u32' ? 4 : 8, isReference: false }
}

function reference(name: string, offset: number): Member {
  return { name, typeName: '* const u8', offset, size: 8, isReference: true }
}

function record(name: string, size: number, ...members: Member[]): UserDefinedType {
  return { name, size, members, isReference: false }
}

/** A dependency id in 16 bytes, the rest of which says nothing to readers. */
function handle(name: string): UserDefinedType {
  return { name, size: 16, members: [reference('id', 0)], isReference: true }
}

const logMetadata = {
  id: 'u64',
  fmt_str: 'ref',
  target: 'ref',
  module_path: 'ref',
  file: 'ref',
  line: 'u32',
  level: 'u32',
} as const

export const RUST_LOG_TYPES = {
  dependenciesMetadata: [
    dynamicType('StaticString'),
    dynamicType('StaticStringDependency'),
    fixedType('LogMetadataRecord', logMetadata),
    dynamicType('PropertySetDependency'),
    record('Property', 32, nested('name', 'StaticStringRef', 0), nested('value', 'StaticStringRef', 16)),
    handle('StaticStringRef'),
  ],
  objectsMetadata: [
    fixedType('LogStaticStrEvent', { desc: 'ref', time: 'i64' }),
    dynamicType('LogStringEventV2'),
    record(
      'LogStaticStrInteropEvent',
      48,
      nested('target', 'StringId', 0),
      nested('msg', 'StringId', 16),
      plain('time', 'i64', 32),
      plain('level', 'u32', 40),
    ),
    dynamicType('LogStringInteropEventV3'),
    dynamicType('TaggedLogString'),
    handle('StringId'),
    handle('StaticStringRef'),
  ],
}

const place = { target: 'ref', module_path: 'ref', file: 'ref', line: 'u32', lod: 'u32' } as const

function threadNamed(name: string): UserDefinedType {
  const members = [reference('thread_span_location', 0), nested('name', 'StringId', 8)]
  return record(name, 32, ...members, plain('time', 'i64', 24))
}

function async_(name: string): UserDefinedType {
  const ids = [plain('span_id', 'u64', 8), plain('parent_span_id', 'u64', 16)]
  return record(
    name,
    40,
    reference('span_desc', 0),
    ...ids,
    plain('time', 'i64', 24),
    plain('depth', 'u32', 32),
  )
}

function asyncNamed(name: string): UserDefinedType {
  const named = [reference('span_location', 0), nested('name', 'StringId', 8)]
  const ids = [plain('span_id', 'u64', 24), plain('parent_span_id', 'u64', 32)]
  return record(name, 56, ...named, ...ids, plain('time', 'i64', 40), plain('depth', 'u32', 48))
}

export const RUST_CPU_TYPES = {
  dependenciesMetadata: [
    fixedType('SpanRecord', { id: 'u64', name: 'ref', ...place }),
    fixedType('SpanLocationRecord', { id: 'u64', ...place }),
    dynamicType('StaticString'),
  ],
  objectsMetadata: [
    fixedType('BeginThreadSpanEvent', { thread_span_desc: 'ref', time: 'i64' }),
    fixedType('EndThreadSpanEvent', { thread_span_desc: 'ref', time: 'i64' }),
    threadNamed('BeginThreadNamedSpanEvent'),
    threadNamed('EndThreadNamedSpanEvent'),
    async_('BeginAsyncSpanEvent'),
    async_('EndAsyncSpanEvent'),
    asyncNamed('BeginAsyncNamedSpanEvent'),
    asyncNamed('EndAsyncNamedSpanEvent'),
    handle('StringId'),
  ],
}
