import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { TimeRange } from '../../data/query.ts'
import { clockText, durationText } from '../../data/time.ts'
import { coloursOf, draw, useWidth } from '../../parts/canvas.ts'
import { scheme, zone } from '../../state/settings.ts'
import { type CellRow, durationsOf } from './request-queries.ts'

const ROW_HEIGHT = 12
const LEFT = 64
const BOTTOM = 18

interface Cell {
  readonly second: number
  readonly step: number
}

interface Props {
  readonly range: TimeRange
  readonly binSeconds: number
  readonly cells: readonly CellRow[]
  readonly chosen: Cell | undefined
  readonly onCell: (cell: Cell | undefined) => void
}

/** How many requests took how long, over time; a click lists those of a cell. */
export function Heatmap({ range, binSeconds, cells, chosen, onCell }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [tip, setTip] = useState('')
  const points = cells.map(({ t, step, n }) => ({ second: Date.parse(t) / 1000, step, n }))
  const steps = points.map(({ step }) => step)
  const [low, high] = [Math.min(...steps), Math.max(...steps)]
  const first = Math.floor(Number(range.beginNs / 1_000_000_000n) / binSeconds) * binSeconds
  const last = Number(range.endNs / 1_000_000_000n)
  const columns = Math.max(1, Math.ceil((last - first) / binSeconds))
  const height = (high - low + 1) * ROW_HEIGHT + BOTTOM
  const columnWidth = (width - LEFT) / columns

  useLayoutEffect(() => {
    const element = canvas.current!
    if (width === 0 || !Number.isFinite(low)) return
    const colours = coloursOf(element)
    draw(element, width, height, (context) => {
      context.font = '11px system-ui, sans-serif'
      context.textBaseline = 'middle'
      const most = Math.max(...points.map(({ n }) => n))
      context.fillStyle = colours.accent
      for (const { second, step, n } of points) {
        // Few are seen beside many.
        context.globalAlpha = 0.2 + 0.8 * (Math.log1p(n) / Math.log1p(most))
        context.fillRect(
          LEFT + ((second - first) / binSeconds) * columnWidth,
          (high - step) * ROW_HEIGHT,
          Math.max(1, columnWidth - 0.5),
          ROW_HEIGHT - 1,
        )
      }
      context.globalAlpha = 1
      if (chosen !== undefined) {
        context.strokeStyle = colours.text
        context.lineWidth = 2
        const x = LEFT + ((chosen.second - first) / binSeconds) * columnWidth
        context.strokeRect(
          x - 1,
          (high - chosen.step) * ROW_HEIGHT - 1,
          Math.max(4, columnWidth + 1),
          ROW_HEIGHT + 1,
        )
      }
      context.fillStyle = colours.dim
      for (let step = low; step <= high; step += 4)
        context.fillText(
          durationText(durationsOf(step).from),
          2,
          (high - step + 1) * ROW_HEIGHT - ROW_HEIGHT / 2,
        )
      const every = Math.max(1, Math.ceil(columns / (width / 110)))
      for (let column = 0; column < columns; column += every)
        context.fillText(
          clockText((first + column * binSeconds) * 1000, zone.value, 0),
          LEFT + column * columnWidth,
          height - BOTTOM / 2,
        )
    })
  }, [cells, width, chosen?.second, chosen?.step, zone.value, scheme.value])

  const cellAt = (event: { offsetX: number; offsetY: number }): (Cell & { n: number }) | undefined => {
    const second = first + Math.floor((event.offsetX - LEFT) / columnWidth) * binSeconds
    const step = high - Math.floor(event.offsetY / ROW_HEIGHT)
    return points.find((point) => point.second === second && point.step === step)
  }
  return (
    <div class="heatmap" ref={box}>
      <canvas
        ref={canvas}
        role="img"
        aria-label="Durations of requests over time; the tables above and below have them as text"
        onClick={(event) => onCell(cellAt(event))}
        onPointerMove={(event) => {
          const cell = cellAt(event)
          const durations = cell && durationsOf(cell.step)
          setTip(
            cell === undefined || durations === undefined
              ? ''
              : `${cell.n} of ${durationText(durations.from)} to ${durationText(durations.to)} at ${clockText(cell.second * 1000, zone.value, 0)}`,
          )
        }}
        onPointerLeave={() => setTip('')}
      />
      <p class="hint">{tip || 'A click on a cell lists its requests.'}</p>
    </div>
  )
}
