import { PropertyTexts, pagesOf, type TraceWriting } from './trace-rows.ts'

/** @param logs - SQL of the columns time, level, target, msg and properties. */
export async function writeLogs(trace: TraceWriting, logs: string): Promise<void> {
  const { connection, name, writer, signal, store } = trace
  const texts = new PropertyTexts()
  let described = false
  for await (const page of pagesOf(connection, `${name}_logs`, logs, signal)) {
    if (!described) writer.logsDescriptor()
    described = true
    for (const [time, level, target, message, json] of page) {
      writer.log(time as bigint, {
        level: Number(level),
        target: String(target),
        message: String(message),
        properties: texts.read(json),
      })
    }
    await store()
  }
}
