// @ts-check
import { Link } from 'react-router'
import { Button } from '@mantine/core'
import { EmptyState } from '../components/Feedback.jsx'

/** Before the first gold run. */
export function NoFiguresYet() {
  return (
    <EmptyState
      title="No figures yet"
      action={
        <Button component={Link} to="/pipeline">
          Go to the pipeline
        </Button>
      }
    >
      The figures appear when the gold layer was made for the first time.
    </EmptyState>
  )
}
