// @ts-check
/** @import { Run } from '../../api/types.js' */
import { Button, Group } from '@mantine/core'
import { Dialog } from '../../components/Dialog.jsx'
import { errorWords } from '../../components/Feedback.jsx'
import { useCancel } from './useRunActions.jsx'

/** Asks before a run is canceled by key or by command. @param {{ run: Run, onClose: () => void }} props */
export default function CancelDialog({ run, onClose }) {
  const { cancel, sending, error } = useCancel(run, onClose)
  return (
    <Dialog title={`Cancel run ${run.run_id}?`} onClose={onClose}>
      <p>Tables that are finished stay as they are.</p>
      {error && <p role="alert">{errorWords(error)}</p>}
      <Group gap={8} justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Keep
        </Button>
        <Button color="red" loading={sending} onClick={cancel}>
          Cancel the run
        </Button>
      </Group>
    </Dialog>
  )
}
