// @ts-check
import { CLAIMS } from '../features/insights/claimPage.js'
import { CUSTOMERS } from '../features/insights/customerPage.js'
import { PROVIDERS } from '../features/insights/providerPage.js'
import { RISK } from '../features/insights/riskPage.js'
import { FiguresPage } from './FiguresPage.jsx'

const PAGES = { claims: CLAIMS, customers: CUSTOMERS, providers: PROVIDERS, risk: RISK }

/** @param {{ name: keyof typeof PAGES }} props */
export default function InsightPage({ name }) {
  return <FiguresPage key={name} page={PAGES[name]} />
}
