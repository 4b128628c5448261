import { useState } from 'preact/hooks'
import { connectWith } from '../data/query.ts'
import { key } from '../state/key.ts'
import { LoginChoices } from './login-choice.tsx'

/** Asks for an API key or token, when there is none or it is no longer good. */
export function KeyForm() {
  const [typed, setTyped] = useState('')
  const refused = key.value !== undefined
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault()
        if (typed.trim() !== '') connectWith(typed.trim())
      }}
    >
      <h1>{refused ? 'This key is not accepted' : 'A key is needed'}</h1>
      <LoginChoices />
      <p>
        {refused
          ? 'It is wrong, or it has expired. Enter another one.'
          : 'The server gives its data to those with an API key or a token.'}{' '}
        An API key is an entry of <code>MICROMEGAS_API_KEYS</code>; a server started with{' '}
        <code>--generate-key</code> prints one, and an address of this page that has it.
      </p>
      <label>
        API key or token
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Go on</button>
      <p class="hint">It is kept by this tab until it is closed, and sent to this server only.</p>
    </form>
  )
}
