// @ts-check
/** @import { Workspace } from '../../api/types.js' */
/** @import { ConnectionStatus } from '../../services/stream/streamClient.js' */
import { NavLink, useLocation } from 'react-router'
import { Burger } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import {
  IconBuildingHospital,
  IconChartBar,
  IconChartLine,
  IconFileDescription,
  IconHistory,
  IconPaw,
  IconRoute,
  IconScale,
  IconUsers,
} from '@tabler/icons-react'
import { useEffect } from 'react'
import { ConnectionMark } from './ConnectionMark.jsx'
import { OfflineNotice } from './OfflineNotice.jsx'
import { ThemeToggle } from './ThemeToggle.jsx'
import { WorkspaceBadge } from './WorkspaceBadge.jsx'
import classes from './Shell.module.css'

const LINKS = [
  { to: '/overview', name: 'Overview', Icon: IconChartLine },
  { to: '/pipeline', name: 'Pipeline', Icon: IconRoute },
  { to: '/runs', name: 'Runs', Icon: IconHistory },
  { to: '/claims', name: 'Claims', Icon: IconFileDescription },
]
const FIGURES = [
  { to: '/insights/claims', name: 'Claim figures', Icon: IconChartBar },
  { to: '/insights/customers', name: 'Customers', Icon: IconUsers },
  { to: '/insights/providers', name: 'Providers', Icon: IconBuildingHospital },
  { to: '/insights/risk', name: 'Risk', Icon: IconScale },
]

/** @param {{ connection: ConnectionStatus, workspace: Workspace | null, tools?: import('react').ReactNode, children: import('react').ReactNode }} props */
export function Shell({ connection, workspace, tools, children }) {
  const [opened, { toggle, close }] = useDisclosure(false)
  const { pathname } = useLocation()
  useEffect(close, [pathname, close])
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && close()
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [close])

  return (
    <div
      className={classes.shell}
      data-offline={connection.state === 'offline' || undefined}
      data-stale={connection.state !== 'live' || undefined}
      data-troubled={(workspace !== null && workspace.state !== 'ok') || undefined}
    >
      <a className={classes.skip} href="#content">
        Skip to the page
      </a>
      <header className={classes.top}>
        <Burger
          className={classes.burger}
          opened={opened}
          onClick={toggle}
          size="sm"
          aria-label="Navigation"
          aria-expanded={opened}
          aria-controls="navigation"
        />
        <NavLink to="/pipeline" className={classes.brand}>
          <span className={classes.logo} aria-hidden="true">
            <IconPaw size={18} stroke={2} />
          </span>
          PetInsure360
        </NavLink>
        <div className={classes.spring} />
        {tools}
        <WorkspaceBadge workspace={workspace} />
        <ConnectionMark connection={connection} />
        <ThemeToggle />
      </header>
      <nav id="navigation" className={classes.nav} data-opened={opened || undefined} aria-label="Pages">
        <div className={classes.links}>
          <Links links={LINKS} />
          <p className={classes.group}>Figures of gold</p>
          <Links links={FIGURES} />
        </div>
      </nav>
      <main id="content" tabIndex={-1} className={classes.main}>
        <div className={classes.column}>
          <OfflineNotice connection={connection} />
          <div className={classes.page}>{children}</div>
        </div>
      </main>
    </div>
  )
}

/** @param {{ links: typeof LINKS }} props */
const Links = ({ links }) =>
  links.map(({ to, name, Icon }) => (
    <NavLink key={to} to={to} className={classes.link}>
      <Icon aria-hidden="true" size={18} stroke={1.7} />
      {name}
    </NavLink>
  ))
