import { render } from 'preact'
import './page.css'
import { App } from './app.tsx'
import { followAddress } from './state/address.ts'
import { takeKeyFromAddress } from './state/key.ts'
import { followTheme } from './state/settings.ts'

takeKeyFromAddress()
followAddress()
followTheme()
render(<App />, document.getElementById('page')!)
