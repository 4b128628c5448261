import { levelName } from '../../data/levels.ts'
import { clockText, durationText, msOfNs, type Zone } from '../../data/time.ts'
import type { Colours } from '../../parts/canvas.ts'
import type { Track } from './span-table.ts'
import type { Line, TimelineData } from './timeline-data.ts'
import { type Stretch, tickStep } from './viewport.ts'

const SPAN_HEIGHT = 18
const LINE_HEIGHT = 34
const STRIP_HEIGHT = 16
const HEADER_HEIGHT = 20
const AXIS_HEIGHT = 22
const GAP = 4
const LABEL_MIN_PX = 40

/** Where things are, from the top. */
export type Band =
  | { readonly kind: 'axis'; readonly y: number; readonly height: number }
  | { readonly kind: 'line'; readonly line: Line; readonly y: number; readonly height: number }
  | {
      readonly kind: 'collections' | 'ticks' | 'images'
      readonly label: string
      readonly y: number
      readonly height: number
    }
  | { readonly kind: 'track'; readonly track: Track; readonly y: number; readonly height: number }

export function layout(data: TimelineData): { readonly bands: readonly Band[]; readonly height: number } {
  const bands: Band[] = []
  let y = 0
  const add = (height: number): { y: number; height: number } => {
    const place = { y, height }
    y += height + GAP
    return place
  }
  bands.push({ kind: 'axis', ...add(AXIS_HEIGHT) })
  for (const line of data.lines) bands.push({ kind: 'line', line, ...add(LINE_HEIGHT) })
  if (data.collections.length > 0)
    bands.push({ kind: 'collections', label: 'garbage collection', ...add(STRIP_HEIGHT) })
  if (data.ticks.length > 0) bands.push({ kind: 'ticks', label: 'logs', ...add(STRIP_HEIGHT) })
  if (data.images.length > 0) bands.push({ kind: 'images', label: 'images', ...add(STRIP_HEIGHT) })
  for (const track of data.spans.tracks)
    bands.push({ kind: 'track', track, ...add(HEADER_HEIGHT + track.lanes * SPAN_HEIGHT) })
  return { bands, height: y }
}

export function laneAt(band: Band, y: number): number | undefined {
  if (band.kind !== 'track') return undefined
  const lane = Math.floor((y - band.y - HEADER_HEIGHT) / SPAN_HEIGHT)
  return lane < 0 || lane >= band.track.lanes ? undefined : lane
}

const FAINT = 60

/** Always the same for a name, wherever it is seen. */
function colour(name: string): readonly [number, number, number] {
  // FNV-1a
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0
  // hsl(hue, 55%, lightness): pale, so that dark text is read on all of them
  const hue = hash % 360
  const lightness = 0.72 + 0.1 * ((hash >>> 16) / 0xffff)
  const chroma = (1 - Math.abs(2 * lightness - 1)) * 0.55
  const part = (shift: number): number => {
    const k = (shift + hue / 30) % 12
    return Math.round(255 * (lightness - (chroma / 2) * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return [part(0), part(8), part(4)]
}

/** The colours of all names, and their faint forms, as words of pixels. */
export interface Palette {
  readonly full: Uint32Array
  readonly faint: Uint32Array
}

export function paletteOf(names: readonly string[]): Palette {
  const colours = names.map(colour)
  return {
    full: Uint32Array.from(colours, (rgb) => word(rgb, 255)),
    faint: Uint32Array.from(colours, (rgb) => word(rgb, FAINT)),
  }
}

export interface Frame {
  readonly context: CanvasRenderingContext2D
  readonly data: TimelineData
  readonly bands: readonly Band[]
  readonly view: Stretch
  /** In CSS pixels. */
  readonly width: number
  readonly zone: Zone
  readonly colours: Colours
  readonly selected: number | undefined
  /** By name, whether it is searched for: others are faint. */
  readonly hits: Uint8Array
  readonly palette: Palette
}

/** Draws all bands; the spans of a lane one pixel high in memory, scaled at once. */
export function paint(frame: Frame): void {
  const { context, bands, width } = frame
  context.font = '12px system-ui, sans-serif'
  context.textBaseline = 'middle'
  for (const band of bands) {
    if (band.kind === 'axis') paintAxis(frame, band.y)
    else if (band.kind === 'line') paintLine(frame, band.line, band.y, band.height)
    else if (band.kind === 'track') paintTrack(frame, band.track, band.y)
    else paintStrip(frame, band)
    context.fillStyle = frame.colours.line
    context.fillRect(0, band.y + band.height + GAP / 2, width, 0.5)
  }
}

const pixelOf = ({ view, width }: Frame, t: number): number =>
  ((t - view.from) / (view.to - view.from)) * width

function paintAxis(frame: Frame, y: number): void {
  const { context, view, data, zone, colours, width } = frame
  const step = tickStep(view.to - view.from, Math.max(2, width / 130))
  const baseMs = msOfNs(data.range.beginNs)
  const digits = step >= 1e9 ? 0 : step >= 1e6 ? 3 : 6
  context.fillStyle = colours.dim
  // Round times of day, not round distances from the begin of the range.
  const offset = Number(data.range.beginNs % BigInt(Math.round(step)))
  for (let t = Math.ceil((view.from + offset) / step) * step - offset; t < view.to; t += step) {
    const x = pixelOf(frame, t)
    context.fillRect(x, y, 0.5, AXIS_HEIGHT)
    context.fillText(clockText(baseMs + t / 1e6, zone, digits), x + 4, y + AXIS_HEIGHT / 2)
  }
}

function valueText(value: number, unit: Line['unit']): string {
  if (unit === 's') return durationText(value * 1e9)
  if (unit === '1') return `${(value * 100).toFixed(0)} %`
  return `${(value / 2 ** 20).toFixed(0)} MiB`
}

function paintLine(frame: Frame, { label, unit, samples }: Line, y: number, height: number): void {
  const { context, view, colours } = frame
  const shown = samples.filter(({ t }) => t >= view.from - (view.to - view.from) && t <= view.to * 2)
  const most = Math.max(...shown.map(({ v }) => v), 1e-12)
  context.strokeStyle = colours.accent
  context.lineWidth = 1.5
  context.beginPath()
  shown.forEach(({ t, v }, i) => {
    const [x, top] = [pixelOf(frame, t), y + height - 2 - (v / most) * (height - 6)]
    if (i === 0) context.moveTo(x, top)
    else context.lineTo(x, top)
  })
  context.stroke()
  title(frame, `${label} (up to ${valueText(most, unit)})`, y + 8)
}

function title({ context, colours }: Frame, text: string, y: number): void {
  context.fillStyle = colours.back
  context.globalAlpha = 0.8
  context.fillRect(2, y - 7, context.measureText(text).width + 5, 14)
  context.globalAlpha = 1
  context.fillStyle = colours.dim
  context.fillText(text, 4, y)
}

function paintStrip(frame: Frame, band: Exclude<Band, { kind: 'axis' | 'line' | 'track' }>): void {
  const { context, data, view, colours } = frame
  const { y, height } = band
  if (band.kind === 'collections') {
    context.fillStyle = colours.warn
    for (const { t, d } of data.collections) {
      if (t + d < view.from || t > view.to) continue
      const x = pixelOf(frame, t)
      context.fillRect(x, y, Math.max(1, pixelOf(frame, t + d) - x), height)
    }
  } else if (band.kind === 'ticks') {
    // The most severe are drawn last, above the others.
    for (const { t, level } of data.ticks.toReversed()) {
      if (t < view.from || t > view.to) continue
      const name = levelName(level)
      context.fillStyle = level <= 2 ? colours.bad : name === 'warn' ? colours.warn : colours.dim
      context.fillRect(
        pixelOf(frame, t),
        level <= 3 ? y : y + 5,
        level <= 3 ? 2 : 1,
        level <= 3 ? height : height - 5,
      )
    }
  } else {
    context.fillStyle = colours.accent
    for (const { t } of data.images)
      if (t >= view.from && t <= view.to) context.fillRect(pixelOf(frame, t) - 3, y + 3, 7, height - 6)
  }
  title(frame, band.label, y + height / 2)
}

function paintTrack(frame: Frame, track: Track, y: number): void {
  const { context, width } = frame
  title(frame, track.label, y + HEADER_HEIGHT / 2)
  const top = y + HEADER_HEIGHT
  const columns = Math.max(1, Math.floor(width))
  const pixels = new ImageData(columns, track.lanes)
  const words = new Uint32Array(pixels.data.buffer)
  for (let lane = 0; lane < track.lanes; lane++)
    fillLane(frame, track, lane, words.subarray(lane * columns, (lane + 1) * columns))
  const small = new OffscreenCanvas(columns, track.lanes)
  small.getContext('2d')!.putImageData(pixels, 0, 0)
  context.imageSmoothingEnabled = false
  context.drawImage(small, 0, top, columns, track.lanes * SPAN_HEIGHT)
  // A line of background between lanes.
  for (let lane = 1; lane <= track.lanes; lane++) context.clearRect(0, top + lane * SPAN_HEIGHT - 1, width, 1)
  for (let lane = 0; lane < track.lanes; lane++) paintLabels(frame, track, lane, top + lane * SPAN_HEIGHT)
}

/** Little endian, as every machine with a browser is. */
function word(rgb: readonly [number, number, number], alpha: number): number {
  return ((alpha << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0]) >>> 0
}

function fillLane(frame: Frame, track: Track, lane: number, pixels: Uint32Array): void {
  const { data, view, hits, palette } = frame
  const { spans: table } = data
  const spans = track.spans[lane]!
  const scale = pixels.length / (view.to - view.from)
  let at = table.firstAfter(spans, view.from)
  while (at < spans.length) {
    const i = spans[at]!
    const x = Math.max(0, Math.floor((table.begin[i]! - view.from) * scale))
    if (x >= pixels.length) return
    const name = table.name[i]!
    const end = Math.min(pixels.length, Math.max(x + 1, Math.round((table.end[i]! - view.from) * scale)))
    pixels.fill((hits[name] === 1 ? palette.full : palette.faint)[name]!, x, end)
    // A gap between neighbours of one name, where there is room.
    if (end - x > 3 && end < pixels.length) pixels[end - 1] = 0
    // All that ends within this pixel is drawn.
    at = end > x + 1 ? at + 1 : Math.max(at + 1, table.firstAfter(spans, view.from + (x + 1) / scale))
  }
}

function paintLabels(frame: Frame, track: Track, lane: number, y: number): void {
  const { context, data, view, width, selected, colours, hits } = frame
  const { spans: table } = data
  const spans = track.spans[lane]!
  for (let at = table.firstAfter(spans, view.from); at < spans.length; at++) {
    const i = spans[at]!
    const x = Math.max(0, pixelOf(frame, table.begin[i]!))
    if (x > width) return
    const room = Math.min(width, pixelOf(frame, table.end[i]!)) - x
    if (i === selected) {
      context.strokeStyle = colours.text
      context.lineWidth = 2
      context.strokeRect(x + 1, y + 1, Math.max(2, room - 2), SPAN_HEIGHT - 3)
    }
    if (room < LABEL_MIN_PX) {
      // The next one that is wide enough cannot begin in this pixel.
      if (room < 1 && i !== selected)
        at = Math.max(at, table.firstAfter(spans, view.from + ((x + 1) / width) * (view.to - view.from)) - 1)
      continue
    }
    if (hits[table.name[i]!] === 0) continue
    context.save()
    context.beginPath()
    context.rect(x, y, room - 2, SPAN_HEIGHT)
    context.clip()
    context.fillStyle = '#14171c'
    context.fillText(
      `${table.names[table.name[i]!]} ${durationText(table.end[i]! - table.begin[i]!)}`,
      x + 4,
      y + SPAN_HEIGHT / 2,
    )
    context.restore()
  }
}

/** The whole of what was loaded, with the part that is in view. */
export function paintMap(frame: Frame, whole: Stretch, height: number): void {
  const { context, data, view, width, colours } = frame
  const { spans } = data
  const counts = new Float64Array(Math.max(1, Math.floor(width)))
  const scale = counts.length / (whole.to - whole.from)
  for (let i = 0; i < spans.length; i++) {
    const from = Math.max(0, Math.floor((spans.begin[i]! - whole.from) * scale))
    const to = Math.min(counts.length - 1, Math.floor((spans.end[i]! - whole.from) * scale))
    if (from > to) continue
    counts[from]!++
    if (to + 1 < counts.length) counts[to + 1]!--
  }
  for (let x = 1; x < counts.length; x++) counts[x]! += counts[x - 1]!
  const most = counts.reduce((a, b) => Math.max(a, b), 1)
  context.fillStyle = colours.dim
  counts.forEach((count, x) => {
    const bar = (count / most) * (height - 8)
    if (count > 0) context.fillRect(x, height - bar - 1, 1, Math.max(1, bar))
  })
  context.fillStyle = colours.bad
  for (const { t, level } of data.ticks) if (level <= 2) context.fillRect((t - whole.from) * scale, 0, 2, 5)
  const [from, to] = [(view.from - whole.from) * scale, (view.to - whole.from) * scale]
  context.fillStyle = colours.accent
  context.globalAlpha = 0.18
  context.fillRect(from, 0, to - from, height)
  context.globalAlpha = 1
  context.fillRect(from, 0, 2, height)
  context.fillRect(to - 2, 0, 2, height)
}
