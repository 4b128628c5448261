import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { clockText } from '../data/time.ts'
import { scheme, zone } from '../state/settings.ts'
import { type Colours, coloursOf } from './canvas.ts'

export interface ChartProps {
  readonly label: string
  /** Seconds since the Unix epoch. */
  readonly times: readonly number[]
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]
  readonly format: (value: number) => string
  /** The range that a drag chose, in seconds. */
  readonly onRange: (from: number, to: number) => void
}

const HEIGHT = 150
const COLOURS: readonly (keyof Colours)[] = ['accent', 'warn', 'bad', 'good', 'dim', 'text']

/** Lines over time. The only file that knows the library that draws them; the cursors of all charts go together. */
export function Chart({ label, times, series, format, onRange }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const names = series.map((line) => line.label).join('\0')
  const latest = useRef({ format, onRange })
  latest.current = { format, onRange }
  const plot = useRef<uPlot | undefined>(undefined)
  const data = [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData

  useEffect(() => {
    const element = box.current!
    const colours = coloursOf(element)
    const axis = {
      stroke: colours.dim,
      grid: { stroke: colours.line, width: 0.5 },
      ticks: { show: false },
    }
    const shown = (value: number | null): string => (value === null ? '–' : latest.current.format(value))
    const time = (seconds: number): string => clockText(seconds * 1000, zone.value, 0)
    const options: uPlot.Options = {
      width: element.clientWidth,
      height: HEIGHT,
      cursor: { sync: { key: 'metrics' }, drag: { x: true, y: false, setScale: false } },
      legend: { live: true },
      axes: [
        { ...axis, size: 28, values: (_, values) => values.map(time) },
        { ...axis, size: 70, values: (_, values) => values.map(shown) },
      ],
      series: [
        { label: 'time', value: (_, value) => (value === null ? '–' : time(value)) },
        ...series.map((line, i) => ({
          label: line.label,
          stroke: colours[COLOURS[i % COLOURS.length]!],
          width: 1.5,
          points: { show: times.length < 3 },
          spanGaps: true,
          value: (_: uPlot, value: number | null) => shown(value),
        })),
      ],
      hooks: {
        setSelect: [
          (chart) => {
            const { left, width } = chart.select
            if (width < 4) return
            latest.current.onRange(chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x'))
          },
        ],
      },
    }
    const made = new uPlot(options, data, element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [names, scheme.value, zone.value])
  useEffect(() => plot.current?.setData(data), [times, series])
  return <div class="chart" ref={box} role="img" aria-label={label} />
}
