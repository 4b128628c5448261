import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

export const ROW_HEIGHT = 22
const BEYOND = 6

export interface VirtualListProps {
  readonly label: string
  readonly count: number
  readonly row: (index: number) => ComponentChildren
  /** Whether the end stays in sight while rows come. */
  readonly following: boolean
  /** The user left the end, or came back to it. */
  readonly onFollow: (following: boolean) => void
  /** The user is at the first row. */
  readonly onStart: () => void
  /** A row to bring into sight. */
  readonly focus: number | undefined
}

/** A list of rows of one height, of which only those in sight exist. */
export function VirtualList(props: VirtualListProps) {
  const { label, count, row, following, onFollow, onStart, focus } = props
  const box = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(600)
  /** Where the list was scrolled to by itself: such an event is not the user's. */
  const own = useRef<number | undefined>(undefined)

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry!.contentRect.height))
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    const element = box.current!
    if (following) {
      element.scrollTop = element.scrollHeight
      own.current = element.scrollTop
      setTop(element.scrollTop)
    }
  }, [count, following, height])
  useLayoutEffect(() => {
    const element = box.current!
    if (focus === undefined) return
    const at = focus * ROW_HEIGHT
    if (at < element.scrollTop) element.scrollTop = at
    else if (at + ROW_HEIGHT > element.scrollTop + element.clientHeight)
      element.scrollTop = at + ROW_HEIGHT - element.clientHeight
  }, [focus])

  const onScroll = (): void => {
    const element = box.current!
    setTop(element.scrollTop)
    if (own.current !== undefined && Math.abs(element.scrollTop - own.current) < 2) {
      own.current = undefined
      return
    }
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW_HEIGHT
    if (atEnd !== following) onFollow(atEnd)
    if (element.scrollTop < ROW_HEIGHT) onStart()
  }

  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - BEYOND)
  const end = Math.min(count, Math.ceil((top + height) / ROW_HEIGHT) + BEYOND)
  const shown = []
  for (let i = first; i < end; i++) shown.push(row(i))
  return (
    <div
      ref={box}
      class="virtual"
      role="table"
      aria-label={label}
      aria-rowcount={count}
      tabIndex={0}
      onScroll={onScroll}
    >
      <div class="virtual-all" role="rowgroup" style={{ height: `${count * ROW_HEIGHT}px` }}>
        <div
          class="virtual-shown"
          role="presentation"
          style={{ transform: `translateY(${first * ROW_HEIGHT}px)` }}
        >
          {shown}
        </div>
      </div>
    </div>
  )
}
