// @ts-check
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './styles/mantine.js'
import './styles/global.css'
import { App } from './App.jsx'

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
