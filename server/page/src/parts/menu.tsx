import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface Props {
  readonly label: string
  /** Where it opens, below its button: from its left or its right edge. @defaultValue `left` */
  readonly side?: 'left' | 'right'
  readonly onToggle?: (open: boolean) => void
  readonly children: ComponentChildren
}

/** Commands below a button. A press beside it or Escape closes it, so that it does not stay over what it covers. */
export function Menu({ label, side = 'left', onToggle, children }: Props) {
  const element = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event): void => {
      const menu = element.current
      if (menu === null || !menu.open) return
      if (event instanceof KeyboardEvent ? event.key !== 'Escape' : menu.contains(event.target as Node))
        return
      menu.open = false
    }
    document.addEventListener('pointerdown', close)
    document.addEventListener('keydown', close)
    return () => {
      document.removeEventListener('pointerdown', close)
      document.removeEventListener('keydown', close)
    }
  }, [])
  return (
    <details
      ref={element}
      class={side === 'right' ? 'menu right' : 'menu'}
      onToggle={(event) => onToggle?.((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>{label}</summary>
      <div>{children}</div>
    </details>
  )
}
