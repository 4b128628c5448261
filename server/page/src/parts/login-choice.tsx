import { useEffect, useState } from 'preact/hooks'
import { beginLogin, type LoginChoice, loginChoices, loginProblem } from '../state/login.ts'

/** A button for each issuer that one can log in at; nothing where there is none. */
export function LoginChoices() {
  const [choices, setChoices] = useState<readonly LoginChoice[]>([])
  useEffect(() => void loginChoices().then(setChoices), [])
  return (
    <>
      {loginProblem.value !== undefined && (
        <p class="failure" role="alert">
          The login failed: {loginProblem.value}
        </p>
      )}
      {choices.map(({ issuer }) => (
        <p key={issuer}>
          <button type="button" onClick={() => void beginLogin(issuer)}>
            Log in with {hostOf(issuer)}
          </button>
        </p>
      ))}
    </>
  )
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : issuer
}
