import { useEffect } from 'preact/hooks'
import { followArrivals } from './data/arrivals.ts'
import { connection } from './data/ask-server.ts'
import { processes, readProcesses } from './data/processes.ts'
import { connectWith } from './data/query.ts'
import { Help, helpShown, useKeyboard } from './parts/help.tsx'
import { KeyForm } from './parts/key-form.tsx'
import { ProcessChoice } from './parts/process-choice.tsx'
import { RangeChoice } from './parts/range-choice.tsx'
import { linkTo, view } from './state/address.ts'
import { login } from './state/login.ts'
import { poll } from './state/polling.ts'
import { theme, zone } from './state/settings.ts'
import { FirstRun } from './views/first-run.tsx'
import { VIEWS } from './views.ts'

export function App() {
  useKeyboard()
  useEffect(() => poll(readProcesses, (error) => console.error(error), { wokenBy: () => true }), [])
  useEffect(followArrivals, [])
  return (
    <>
      <Header />
      <Notice />
      <main id="main" tabIndex={-1}>
        <Content />
      </main>
      {helpShown.value && <Help />}
    </>
  )
}

function shownView() {
  return VIEWS.find(({ name }) => name === view.value) ?? VIEWS[0]!
}

function Header() {
  const shown = shownView()
  return (
    <header class="top">
      <button type="button" class="skip" onClick={skip}>
        Skip to content
      </button>
      <span class="brand">micromegas</span>
      <nav aria-label="Views">
        {VIEWS.map(({ name, title }) => (
          <a key={name} href={linkTo(name)} aria-current={name === shown.name ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <span class="grow" />
      <ProcessChoice />
      <RangeChoice />
      <Light />
      {login.value !== undefined && (
        <button
          type="button"
          onClick={() => connectWith(undefined)}
          title={`Logged in as ${login.value.user ?? 'somebody'}`}
        >
          Log out
        </button>
      )}
      <button type="button" onClick={nextZone} title="Times in local time or UTC">
        {zone.value === 'UTC' ? 'UTC' : 'local'}
      </button>
      <button type="button" onClick={nextTheme} title="Colours: as the system has them, light, dark">
        {theme.value === 'system' ? 'auto' : theme.value}
      </button>
      <button
        type="button"
        onClick={() => {
          helpShown.value = true
        }}
        aria-label="Keys and help"
      >
        ?
      </button>
    </header>
  )
}

function skip(): void {
  document.getElementById('main')?.focus()
}

function nextZone(): void {
  zone.value = zone.value === 'UTC' ? 'local' : 'UTC'
}

function nextTheme(): void {
  theme.value = theme.value === 'system' ? 'dark' : theme.value === 'dark' ? 'light' : 'system'
}

const LIGHTS = {
  connecting: 'connecting',
  connected: 'connected',
  unreachable: 'not connected',
  unauthorized: 'no access',
} as const

function Light() {
  return (
    <span class={`light ${connection.value}`} role="status">
      {LIGHTS[connection.value]}
    </span>
  )
}

function Notice() {
  if (connection.value !== 'unreachable') return null
  return (
    <p class="notice" role="alert">
      The server at {location.host} does not answer. It is asked again every two seconds; what is shown stays.
      Is <code>micromegas-server</code> still running?
    </p>
  )
}

function Content() {
  if (connection.value === 'unauthorized') return <KeyForm />
  if (processes.value === undefined) return <p class="empty">Asking the server …</p>
  const { name, component: Component } = shownView()
  if (processes.value.length === 0 && name !== 'sql') return <FirstRun />
  return <Component key={name} />
}
