// @ts-check
import { Link } from 'react-router'
import { Button } from '@mantine/core'
import { EmptyState } from '../components/Feedback.jsx'
import { PageHeader } from '../components/Page.jsx'

export default function NotFoundPage() {
  return (
    <>
      <PageHeader title="No such page" />
      <EmptyState
        title="There is nothing at this address"
        action={
          <Button component={Link} to="/pipeline">
            Go to the pipeline
          </Button>
        }
      />
    </>
  )
}
