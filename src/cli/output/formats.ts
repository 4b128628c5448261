import { printableText } from '../../model/text/printable.ts'
import type { Batch, Row } from '../../query/arrow/batch.ts'
import type { Schema } from '../../query/arrow/schema.ts'
import { UsageError } from '../usage-error.ts'
import { cellText, jsonText } from './cells.ts'
import { TableWriter } from './table.ts'

export const FORMATS = ['table', 'csv', 'json', 'ndjson', 'arrow'] as const
export type Format = (typeof FORMATS)[number]

/** Writes a result batch by batch. */
export interface ResultWriter {
  begin(schema: Schema): string
  batch(batch: Batch<Row>): string
  end(): string
}

/** How results look. */
export interface OutputOptions {
  readonly format: Exclude<Format, 'arrow'>
  /** Whether a person reads the output on a terminal: nothing in the data may act on it. */
  readonly isTerminal: boolean
  /** Whether a table has a bold header and levels in their colours. */
  readonly isColored: boolean
  /** Characters of the terminal's line; `undefined` where there is no terminal. */
  readonly columns: number | undefined
  /** Longest cell of a table; 0 for no limit, `undefined` for 50 or what fits into the terminal. */
  readonly maxColumnWidth: number | undefined
}

/** @throws {@link UsageError} for a format that does not exist. */
export function parseFormat(text: string): Format {
  const format = FORMATS.find((name) => name === text)
  if (format === undefined) {
    throw new UsageError(`Cannot use --format ${text}: expected ${FORMATS.join(', ')}`)
  }
  return format
}

export function makeWriter(options: OutputOptions): ResultWriter {
  const safe = options.isTerminal ? printableText : (text: string): string => text
  switch (options.format) {
    case 'table':
      return new TableWriter(options)
    case 'csv':
      return {
        begin: (schema) => csvLine(schema.fields.map(({ name }) => safe(name))),
        batch: (batch) => lines(batch, (values) => csvLine(values.map((value) => safe(cellText(value))))),
        end: () => '',
      }
    case 'ndjson':
      return {
        begin: () => '',
        batch: (batch) => records(batch, (record) => `${safe(record)}\n`),
        end: () => '',
      }
    case 'json':
      return new JsonWriter(safe)
  }
}

class JsonWriter implements ResultWriter {
  readonly #safe: (text: string) => string
  #isFirst = true

  constructor(safe: (text: string) => string) {
    this.#safe = safe
  }

  begin(): string {
    return '['
  }

  batch(batch: Batch<Row>): string {
    return records(batch, (record) => {
      const separator = this.#isFirst ? '' : ','
      this.#isFirst = false
      return separator + this.#safe(record)
    })
  }

  end(): string {
    return ']\n'
  }
}

function lines(batch: Batch<Row>, line: (values: readonly unknown[]) => string): string {
  let text = ''
  for (let row = 0; row < batch.numRows; row++) text += line(batch.columns.map((column) => column.at(row)))
  return text
}

function records(batch: Batch<Row>, record: (text: string) => string): string {
  const names = batch.columns.map(({ name }) => JSON.stringify(name))
  return lines(batch, (values) => {
    const members = values.map((value, i) => `${names[i]}:${jsonText(value)}`)
    return record(`{${members.join(',')}}`)
  })
}

/** RFC 4180, with line feeds. */
function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`
}
