import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { durationText } from '../../data/time.ts'
import { coloursOf, draw, useWidth } from '../../parts/canvas.ts'
import { scheme, zone } from '../../state/settings.ts'
import { laneAt, layout, paint, paintMap, paletteOf } from './painter.ts'
import type { TimelineData } from './timeline-data.ts'
import { panned, type Stretch, zoomed } from './viewport.ts'

const MAP_HEIGHT = 44
/** Farther than this, a press is a drag. */
const DRAG_PX = 4
const TOLERANCE_PX = 2

interface Props {
  readonly data: TimelineData
  readonly view: Stretch
  readonly search: string
  readonly selected: number | undefined
  readonly onView: (view: Stretch) => void
  readonly onSelect: (index: number | undefined) => void
}

export function TimelineCanvas({ data, view, search, selected, onView, onSelect }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const map = useRef<HTMLCanvasElement>(null)
  const width = useWidth(box)
  const [tip, setTip] = useState<{ readonly x: number; readonly y: number; readonly text: string }>()
  const { bands, height } = useMemo(() => layout(data), [data])
  const whole = { from: 0, to: Number(data.range.endNs - data.range.beginNs) }
  const palette = useMemo(() => paletteOf(data.spans.names), [data])
  const hits = useMemo(() => {
    const wanted = search.toLowerCase()
    return Uint8Array.from(data.spans.names, (name) =>
      wanted === '' || name.toLowerCase().includes(wanted) ? 1 : 0,
    )
  }, [data, search])

  useLayoutEffect(() => {
    if (width === 0) return
    const request = requestAnimationFrame(() => {
      const start = performance.now()
      const shared = {
        data,
        bands,
        view,
        width,
        zone: zone.value,
        colours: coloursOf(box.current!),
        selected,
        hits,
        palette,
      }
      draw(canvas.current!, width, height, (context) => paint({ context, ...shared }))
      draw(map.current!, width, MAP_HEIGHT, (context) => paintMap({ context, ...shared }, whole, MAP_HEIGHT))
      // Read by `npm run bench:page`.
      performance.measure('micromegas.paint', { start, end: performance.now() })
    })
    return () => cancelAnimationFrame(request)
  }, [data, bands, height, view, width, selected, hits, zone.value, scheme.value])

  const timeAt = (x: number): number => view.from + (x / width) * (view.to - view.from)
  const spanAt = (x: number, y: number): number | undefined => {
    const band = bands.find((candidate) => y >= candidate.y && y < candidate.y + candidate.height)
    if (band === undefined || band.kind !== 'track') return undefined
    const lane = laneAt(band, y)
    if (lane === undefined) return undefined
    return data.spans.at(band.track, lane, timeAt(x), (TOLERANCE_PX / width) * (view.to - view.from))
  }
  // The wheel zooms with Ctrl, as in other viewers, and pans sideways; otherwise the page scrolls.
  useEffect(() => {
    const element = canvas.current!
    const onWheel = (event: WheelEvent): void => {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey
      if (!event.ctrlKey && !event.metaKey && !sideways) return
      event.preventDefault()
      const delta = event.deltaX || event.deltaY
      if (sideways) onView(panned(view, delta / width))
      else onView(zoomed(view, Math.exp(event.deltaY / 300), event.offsetX / width))
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  })
  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return
    const element = event.currentTarget as HTMLCanvasElement
    element.setPointerCapture(event.pointerId)
    const from = event.offsetX
    const before = view
    let dragged = false
    const move = (next: PointerEvent): void => {
      if (Math.abs(next.offsetX - from) > DRAG_PX) dragged = true
      if (dragged) onView(panned(before, (from - next.offsetX) / width))
    }
    const up = (last: PointerEvent): void => {
      element.removeEventListener('pointermove', move)
      if (!dragged) onSelect(spanAt(last.offsetX, last.offsetY))
    }
    element.addEventListener('pointermove', move)
    element.addEventListener('pointerup', up, { once: true })
  }
  const onMove = (event: PointerEvent): void => {
    const i = event.buttons === 0 ? spanAt(event.offsetX, event.offsetY) : undefined
    if (i === undefined) return setTip(undefined)
    const { rows, begin, end } = data.spans
    setTip({
      x: Math.min(event.offsetX + 12, Math.max(0, width - 260)),
      y: event.offsetY + MAP_HEIGHT + 14,
      text: `${rows[i]!.name}  ${durationText(end[i]! - begin[i]!)}`,
    })
  }
  return (
    <div class="timeline" ref={box}>
      <canvas
        ref={map}
        class="map"
        role="img"
        aria-label="How much is going on over the whole range; drag to choose a part of it"
        onPointerDown={(event) => brush(event, width, whole, onView)}
      />
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Timeline of ${data.spans.length} spans; the table below has them as text`}
        onPointerDown={onPointerDown}
        onPointerMove={onMove}
        onPointerLeave={() => setTip(undefined)}
      />
      {tip !== undefined && (
        <div class="tip" style={{ transform: `translate(${tip.x}px, ${tip.y}px)` }}>
          {tip.text}
        </div>
      )}
    </div>
  )
}

/** A drag over the map chooses what is in view. */
function brush(event: PointerEvent, width: number, whole: Stretch, onView: (view: Stretch) => void): void {
  const element = event.currentTarget as HTMLCanvasElement
  element.setPointerCapture(event.pointerId)
  const timeOf = (x: number): number =>
    whole.from + (Math.min(Math.max(x, 0), width) / width) * (whole.to - whole.from)
  const from = event.offsetX
  const move = (next: PointerEvent): void => {
    const [a, b] = [from, next.offsetX].sort((left, right) => left - right) as [number, number]
    if (b - a > DRAG_PX) onView({ from: timeOf(a), to: timeOf(b) })
  }
  element.addEventListener('pointermove', move)
  element.addEventListener('pointerup', () => element.removeEventListener('pointermove', move), {
    once: true,
  })
}
