import type { SealedBlock, StreamInfo } from '../../src/model/event-sink.ts'
import type { ProcessInfo } from '../../src/model/process-info.ts'
import { dynamicType, fixedType, referenceType } from '../../src/transit/reflection.ts'
import { hex } from '../transit/section.ts'

/** The examples of the protocol description, whose bytes the reference implementation has decoded. */

export const PROCESS: ProcessInfo = {
  processId: '00000000-0000-4000-8000-000000000001',
  exe: '/app/main.ts',
  username: 'u',
  realname: 'u',
  computer: 'c',
  distro: 'd',
  cpuBrand: 'b',
  tscFrequency: 1_000_000_000n,
  startTimeMicros: 1_704_067_200_000_000n,
  startTicks: 5_000_000_000n,
  parentProcessId: undefined,
  properties: { version: '1.0.0' },
}

export const PROCESS_CBOR = hex(`
ac6a70726f636573735f6964782430303030303030302d303030302d343030302d383030302d30303030303030303030
3031636578656c2f6170702f6d61696e2e747368757365726e616d656175687265616c6e616d65617568636f6d707574
657261636664697374726f6164696370755f6272616e6461626d7473635f6672657175656e63791a3b9aca006a737461
72745f74696d65781b323032342d30312d30315430303a30303a30302e3030303030305a6b73746172745f7469636b73
1b000000012a05f20071706172656e745f70726f636573735f6964f66a70726f70657274696573a16776657273696f6e
65312e302e30`)

export const LOG_STREAM: StreamInfo = {
  streamId: '00000000-0000-4000-8000-00000000000a',
  processId: PROCESS.processId,
  kind: 'log',
  dependenciesMetadata: [
    dynamicType('StaticStringDependency'),
    fixedType('LogMetadataRecord', {
      id: 'u64',
      fmt_str: 'ref',
      target: 'ref',
      module_path: 'ref',
      file: 'ref',
      line: 'u32',
      level: 'u32',
    }),
    dynamicType('PropertySetDependency'),
    fixedType('Property', { name: 'ref', value: 'ref' }),
  ],
  objectsMetadata: [
    fixedType('LogStaticStrEvent', { desc: 'ref', time: 'i64' }),
    dynamicType('LogStringEventV2'),
    dynamicType('TaggedLogString'),
    dynamicType('LogStringInteropEventV3'),
    dynamicType('TaggedLogInteropEvent'),
    referenceType('StaticStringRef'),
  ],
  properties: {},
}

export const LOG_DEPENDENCIES = hex(`
00 12000000 0100000000000000 02 05000000 68656c6c6f
00 10000000 0200000000000000 02 03000000 617070
00 14000000 0300000000000000 02 07000000 6d61696e2e7473
01 0400000000000000 0100000000000000 0200000000000000 0200000000000000 0300000000000000 2a000000 04000000`)

export const LOG_OBJECTS = hex(`
00 0400000000000000 e8f5052a01000000
01 17000000 0400000000000000 c4fb052a01000000 02 02000000 6869`)

/** Appended to the two sections above: a property set and the events that may have one. */
export const MORE_LOG_DEPENDENCIES = hex(`
00 10000000 0500000000000000 02 03000000 656e76
00 11000000 0600000000000000 02 04000000 70726f64
02 1c000000 0700000000000000 01000000 0500000000000000 0600000000000000`)

export const MORE_LOG_OBJECTS = hex(`
02 1e000000 0400000000000000 0700000000000000 b8fd052a01000000 02 01000000 74
03 17000000 b9fd052a01000000 03 0200000000000000 02 01000000 77
04 1f000000 bafd052a01000000 02 0200000000000000 0700000000000000 02 01000000 65`)

/** As the reference's compressor writes them: linked blocks, block and content checksums. */
export const LOG_DEPENDENCIES_RUST_FRAME = hex(`
04224d185440ae4e00000072001200000001000100c0020500000068656c6c6f00100f00041700d40300000061707000
14000000031500d3070000006d61696e2e7473010415000549000b0800043500802a00000004000000cd504336000000
0083684a55`)
export const LOG_OBJECTS_RUST_FRAME = hex(`
04224d185440ae22000000320004000100c5e8f5052a0100000001170000150022c4fb15007002020000006869392a04
39000000007acd441a`)

export const LOG_BLOCK: SealedBlock = {
  blockId: '00000000-0000-4000-8000-00000000000b',
  stream: LOG_STREAM,
  beginTicks: 5_000_000_000n,
  endTicks: 5_001_000_000n,
  dependencies: LOG_DEPENDENCIES,
  objects: LOG_OBJECTS,
  eventCount: 2,
  objectOffset: 0,
}

/** {@link LOG_BLOCK} as the body of `insert_block`, with stored frames. */
export const LOG_BLOCK_CBOR = hex(`
aa68626c6f636b5f6964782430303030303030302d303030302d343030302d383030302d303030303030303030303062
6973747265616d5f6964782430303030303030302d303030302d343030302d383030302d303030303030303030303061
6a70726f636573735f6964782430303030303030302d303030302d343030302d383030302d3030303030303030303030
316a626567696e5f74696d65781b323032342d30312d30315430303a30303a30302e3030303030305a6b626567696e5f
7469636b730068656e645f74696d65781b323032342d30312d30315430303a30303a30302e3030313030305a69656e64
5f7469636b731a000f4240677061796c6f6164a26c646570656e64656e63696573588504224d18604082760000800012
0000000100000000000000020500000068656c6c6f001000000002000000000000000203000000617070001400000003
0000000000000002070000006d61696e2e74730104000000000000000100000000000000020000000000000002000000
0000000003000000000000002a0000000400000000000000676f626a65637473583c04224d186040822d000080000400
000000000000e8f5052a0100000001170000000400000000000000c4fb052a0100000002020000006869000000006d6f
626a6563745f6f6666736574006a6e625f6f626a6563747302`)

/** The metrics layout with the names and the order of the Rust SDK. */
export const METRICS_TYPES = {
  dependenciesMetadata: [
    dynamicType('StaticString'),
    dynamicType('StaticStringDependency'),
    fixedType('MetricMetadataDependency', {
      id: 'u64',
      name: 'ref',
      unit: 'ref',
      target: 'ref',
      file: 'ref',
      line: 'u32',
      lod: 'u32',
    }),
    dynamicType('PropertySetDependency'),
    fixedType('Property', { name: 'ref', value: 'ref' }),
  ],
  objectsMetadata: [
    fixedType('IntegerMetricEvent', { desc: 'ref', value: 'u64', time: 'i64' }),
    fixedType('FloatMetricEvent', { desc: 'ref', value: 'f64', time: 'i64' }),
    fixedType('TaggedFloatMetricEvent', { desc: 'ref', properties: 'ref', value: 'f64', time: 'i64' }),
    fixedType('TaggedIntegerMetricEvent', { desc: 'ref', properties: 'ref', value: 'u64', time: 'i64' }),
  ],
}

export const METRICS_DEPENDENCIES = hex(`
00 12000000 0100000000000000 6672616d655f74696d65
00 0a000000 0200000000000000 6d73
00 0b000000 0300000000000000 617070
00 0f000000 0400000000000000 6d61696e2e7473
02 0500000000000000 0100000000000000 0200000000000000 0300000000000000 0400000000000000 07000000 02000000`)

export const METRICS_OBJECTS = hex('01 0500000000000000 0000000000803040 b8fd052a01000000')

export const IMAGE_TYPES = { dependenciesMetadata: [], objectsMetadata: [dynamicType('ImageEvent')] }

export const IMAGE_OBJECTS = hex(
  '00 21000000 01f2052a01000000 02 04000000 73686f74 02 03000000 706e67 04000000 89504e47',
)
