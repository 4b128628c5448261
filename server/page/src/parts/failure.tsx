import { errorText } from '../data/error-text.ts'

/** Why there is nothing to see, by the words of who refused. */
export function Failure({ error }: { readonly error: unknown }) {
  if (error === undefined) return null
  return (
    <p class="failure" role="alert">
      {errorText(error)}
    </p>
  )
}
