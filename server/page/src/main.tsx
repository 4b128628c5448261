import { render } from 'preact'
import './page.css'
import { App } from './app.tsx'
import { followAddress } from './state/address.ts'
import { takeKeyFromAddress } from './state/key.ts'
import { finishLogin, forgetLogin } from './state/login.ts'
import { followTheme } from './state/settings.ts'

if (takeKeyFromAddress()) forgetLogin()
const finished = finishLogin()
followAddress()
followTheme()
await finished
render(<App />, document.getElementById('page')!)
