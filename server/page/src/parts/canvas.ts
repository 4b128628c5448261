import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** Colours of the page that is shown, for what draws them itself. */
const NAMES = ['back', 'text', 'dim', 'line', 'accent', 'bad', 'warn', 'good'] as const
export type Colours = Readonly<Record<(typeof NAMES)[number], string>>

export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element)
  return Object.fromEntries(
    NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as Colours
}

/** The width of an element, in whole pixels; 0 until it is shown. */
export function useWidth(box: RefObject<Element | null>): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)))
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  return width
}

/** Gives a canvas its size, in the pixels of the screen, and draws on it anew. */
export function draw(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  with2d: (context: CanvasRenderingContext2D) => void,
): void {
  const ratio = devicePixelRatio
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w
    canvas.height = h
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const context = canvas.getContext('2d')!
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  with2d(context)
}
