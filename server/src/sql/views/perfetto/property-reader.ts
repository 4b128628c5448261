/** Reads property sets; events of one set mostly come together. */
export class PropertyReader {
  #json: string | null = null
  #entries: [string, string][] = []

  of(json: string | null): [string, string][] {
    if (json === null) return []
    if (json !== this.#json) {
      this.#json = json
      this.#entries = Object.entries(JSON.parse(json) as Record<string, string>)
    }
    return this.#entries
  }
}
