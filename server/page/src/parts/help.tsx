import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { go, linkTo } from '../state/address.ts'
import { viewKeys } from '../state/view-keys.ts'
import { VIEWS } from '../views.ts'

export const helpShown = signal(false)

const KEYS = [
  ['/', 'search'],
  ['j  k', 'next and previous row'],
  ['space', 'pause and go on'],
  ['w s  a d', 'zoom and pan the timeline'],
  ['?', 'this help'],
  ['Esc', 'close'],
] as const

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

/** `g` and the letter of a view goes there; other keys belong to the view. */
export function useKeyboard(): void {
  useEffect(() => {
    let afterG = false
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && helpShown.value) {
        helpShown.value = false
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      // A button is pressed by space.
      if (
        event.key === ' ' &&
        event.target instanceof HTMLElement &&
        event.target.closest('button, a, summary')
      )
        return
      const view = afterG ? VIEWS.find(({ key }) => key === event.key) : undefined
      afterG = event.key === 'g'
      if (view !== undefined) go(linkTo(view.name))
      else if (event.key === '?') helpShown.value = true
      else {
        const act = viewKeys.get(event.key)
        if (act === undefined) return
        act()
      }
      event.preventDefault()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const close = (): void => {
    helpShown.value = false
  }
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([keys, meaning]) => (
          <Entry key={keys} keys={keys} meaning={meaning} />
        ))}
        {VIEWS.map(({ key, title }) => (
          <Entry key={key} keys={`g ${key}`} meaning={title} />
        ))}
      </dl>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  )
}

function Entry({ keys, meaning }: { readonly keys: string; readonly meaning: string }) {
  return (
    <>
      <dt>
        <kbd>{keys}</kbd>
      </dt>
      <dd>{meaning}</dd>
    </>
  )
}
