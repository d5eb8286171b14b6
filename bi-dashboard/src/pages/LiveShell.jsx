// @ts-check
import { Outlet } from 'react-router'
import { Shell } from '../features/shell/Shell.jsx'
import { useConnection, useLive } from '../features/pipeline/useRunStream.jsx'

/** The frame around every page, told by the live stream. */
export function LiveShell() {
  const connection = useConnection()
  const workspace = useLive((state) => state.workspace)
  return (
    <Shell connection={connection} workspace={workspace}>
      <Outlet />
    </Shell>
  )
}
