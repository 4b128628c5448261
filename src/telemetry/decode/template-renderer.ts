import { formatError } from '../../transit/format-error.ts'
import type { PropertyList } from '../../transit/value.ts'

/** A doubled brace, or a placeholder up to the first brace that closes. */
const TOKEN = /\{\{|\}\}|\{([^}]*)\}/g

/**
 * A template and a property set stand in a block once, the events that combine them take 25 bytes each: a small block
 * could ask for terabytes of messages. So those of a block may take this many characters, template, properties and
 * values counted, and {@link ALLOWANCE} more for each message: far more than any producer sends.
 */
const BUDGET = 64 * 1024 * 1024
const ALLOWANCE = 1024

/**
 * Renders the messages of one block that their producer left as templates, as the crate `micromegas-analytics` 0.33
 * does: `{key}`, `{key:}` and `{key:?}` become the value of that property, the first of a repeated key; doubled braces
 * become one. Whatever else is in braces stays.
 */
export class TemplateRenderer {
  #budget = BUDGET

  /** @throws TelemetryError `ERR_TELEMETRY_FORMAT` when the messages of the block are too long altogether. */
  render(template: string, properties: PropertyList): string {
    this.#budget = Math.min(this.#budget + ALLOWANCE, BUDGET)
    this.#spend(template.length + properties.length)
    const values = new Map(properties.toReversed())
    // apart, so that every opening brace finds a closing one: else each would be searched for to the end
    const end = template.lastIndexOf('}') + 1
    const rendered = template.slice(0, end).replace(TOKEN, (token, placeholder: string | undefined) => {
      if (placeholder === undefined) return token.charAt(0)
      const value = values.get(placeholder.replace(/:\??$/, '')) ?? token
      this.#spend(value.length)
      return value
    })
    return rendered + template.slice(end).replaceAll('{{', '{')
  }

  #spend(amount: number): void {
    this.#budget -= amount
    if (this.#budget < 0) throw formatError('messages', 'the templates of the block render to too much text')
  }
}
