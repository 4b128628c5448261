import { LEVEL_NAMES } from '../../model/level.ts'
import { printableText } from '../../model/text/printable.ts'
import type { Batch, Row } from '../../query/arrow/batch.ts'
import type { DataType, Schema } from '../../query/arrow/schema.ts'
import { cellText } from './cells.ts'
import type { OutputOptions } from './formats.ts'

const GAP = '  '
const DEFAULT_MAX_WIDTH = 50
/** A column is not made narrower than this for a narrow terminal. */
const MIN_WIDTH = 8
/** Widths are taken from so many rows; those of later rows are cut or padded to them. */
const MEASURED_ROWS = 1000
const CUT = '…'
const NUMBERS: ReadonlySet<DataType['kind']> = new Set(['int', 'float', 'decimal'])

/** A table as text: a header, a line of dashes, a line for each row. Numbers stand on the right. */
export class TableWriter {
  readonly #terminalColumns: number | undefined
  readonly #maxWidth: number | undefined
  readonly #isColored: boolean
  #names: readonly string[] = []
  #isNumber: readonly boolean[] = []
  #held: string[][] = []
  #widths: readonly number[] | undefined

  constructor({ columns, maxColumnWidth, isColored }: Omit<OutputOptions, 'format' | 'isTerminal'>) {
    this.#terminalColumns = columns
    this.#maxWidth = maxColumnWidth
    this.#isColored = isColored
  }

  begin(schema: Schema): string {
    this.#names = schema.fields.map(({ name }) => oneLine(name))
    this.#isNumber = schema.fields.map(({ type }) => NUMBERS.has(type.kind))
    return ''
  }

  batch(batch: Batch<Row>): string {
    let text = ''
    for (let row = 0; row < batch.numRows; row++) {
      const cells = batch.columns.map((column) => oneLine(cellText(column.at(row))))
      if (this.#widths !== undefined) text += this.#line(cells)
      else if (this.#held.push(cells) >= MEASURED_ROWS) text += this.#head()
    }
    return text
  }

  end(): string {
    return this.#widths === undefined ? this.#head() : ''
  }

  #head(): string {
    this.#widths = this.#measure()
    const rows = this.#held.map((cells) => this.#line(cells)).join('')
    this.#held = []
    const dashes = this.#widths.map((width) => '-'.repeat(width))
    return `${this.#line(this.#names, () => BOLD)}${dashes.join(GAP)}\n${rows}`
  }

  #measure(): number[] {
    const limit = this.#maxWidth === 0 ? Number.POSITIVE_INFINITY : (this.#maxWidth ?? DEFAULT_MAX_WIDTH)
    const widths = this.#names.map((name, i) => {
      const widest = this.#held.reduce(
        (most, cells) => Math.max(most, displayWidth(cells[i] ?? '')),
        displayWidth(name),
      )
      return Math.min(widest, Math.max(limit, MIN_WIDTH))
    })
    if (this.#terminalColumns === undefined || this.#maxWidth !== undefined) return widths
    let excess =
      widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1)) - this.#terminalColumns
    // An id is there to be copied: it is never cut for a narrow terminal.
    const shrinkable = widths.map((width, i) => (this.#names[i]?.endsWith('_id') ? 0 : width))
    while (excess > 0) {
      const widest = shrinkable.indexOf(Math.max(...shrinkable))
      if ((shrinkable[widest] ?? 0) <= MIN_WIDTH) break
      shrinkable[widest] = (shrinkable[widest] as number) - 1
      widths[widest] = (widths[widest] as number) - 1
      excess--
    }
    return widths
  }

  #line(cells: readonly string[], styleOf = (cell: string, i: number) => this.#style(cell, i)): string {
    const last = cells.length - 1
    const shown = cells.map((cell, i) => {
      const width = this.#widths?.[i] ?? 0
      const shownText = displayWidth(cell) > width ? cut(cell, width) : cell
      const padding = ' '.repeat(Math.max(0, width - displayWidth(shownText)))
      const text = this.#isColored ? styled(shownText, styleOf(cell, i)) : shownText
      if (this.#isNumber[i]) return padding + text
      return i === last ? text : text + padding
    })
    return `${shown.join(GAP).trimEnd()}\n`
  }

  #style(cell: string, i: number): string | undefined {
    const level = this.#names[i] === 'level' ? (LEVEL_NAMES as readonly string[]).indexOf(cell) : 0
    return LEVEL_STYLES[level]
  }
}

const BOLD = '1'
/** By level: magenta, red, yellow, green, cyan, dim. */
const LEVEL_STYLES: readonly (string | undefined)[] = [undefined, '35', '31', '33', '32', '36', '2']

function styled(text: string, style: string | undefined): string {
  return style === undefined || text === '' ? text : `\u001b[${style}m${text}\u001b[0m`
}

/** On one line, with nothing in it that a terminal would act on. */
function oneLine(text: string): string {
  return printableText(text.replaceAll('\t', ' ')).replaceAll('\n    ', '\\n')
}

function cut(text: string, width: number): string {
  let shown = ''
  let used = displayWidth(CUT)
  for (const character of text) {
    used += displayWidth(character)
    if (used > width) break
    shown += character
  }
  return shown + CUT
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u
const MARK = /\p{Mark}|\u200d|\ufe0f/u

/** Cells of a terminal that the text takes: two for East Asian characters and pictures, none for marks. */
function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) {
    if (MARK.test(character)) continue
    width += WIDE.test(character) ? 2 : 1
  }
  return width
}
