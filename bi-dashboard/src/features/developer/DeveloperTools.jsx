// @ts-check
/** @import { Workspace } from '../../api/types.js' */
import { lazy, Suspense, useRef } from 'react'
import { ActionIcon } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconBug } from '@tabler/icons-react'

const FaultDrawer = lazy(() => import('./FaultDrawer.jsx'))

/** What only a local workspace has: things that go wrong on purpose. @param {{ workspace: Workspace | null }} props */
export function DeveloperTools({ workspace }) {
  const [opened, { open, close }] = useDisclosure(false)
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null))
  const leave = () => {
    close()
    button.current?.focus()
  }
  if (workspace?.kind !== 'local') return null
  return (
    <>
      <ActionIcon
        ref={button}
        variant="default"
        size={32}
        radius="md"
        onClick={open}
        aria-label="Developer tools"
        aria-haspopup="dialog"
      >
        <IconBug aria-hidden="true" size={17} stroke={1.7} />
      </ActionIcon>
      <Suspense>{opened && <FaultDrawer onClose={leave} />}</Suspense>
    </>
  )
}
