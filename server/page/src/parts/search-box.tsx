import { useRef } from 'preact/hooks'
import { useViewKeys } from '../state/view-keys.ts'

export interface SearchBoxProps {
  /** What is searched, as its name and as a hint in it. */
  readonly label: string
  readonly value: string
  readonly onInput: (value: string) => void
}

/** The search of a view, which the key `/` goes to. */
export function SearchBox({ label, value, onInput }: SearchBoxProps) {
  const input = useRef<HTMLInputElement>(null)
  useViewKeys({ '/': () => input.current?.focus() })
  return (
    <input
      ref={input}
      type="search"
      aria-label={label}
      placeholder={`${label.toLowerCase()}  ( / )`}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  )
}
