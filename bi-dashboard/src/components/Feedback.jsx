// @ts-check
import { Button, Loader, Skeleton } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { ApiError } from '../api/client.js'
import classes from './Feedback.module.css'

/** @param {unknown} error */
export function errorWords(error) {
  if (error instanceof ApiError) return error.message
  return error instanceof Error ? error.message : 'Something went wrong.'
}

/** @param {{ title: string, error: unknown, onRetry?: () => void, compact?: boolean }} props */
export function ErrorState({ title, error, onRetry }) {
  const code = error instanceof ApiError ? error.code : null
  return (
    <div role="alert" className={classes.state} data-kind="error">
      <IconAlertTriangle aria-hidden="true" size={22} />
      <div>
        <p className={classes.title}>{title}</p>
        <p className={classes.text}>{errorWords(error)}</p>
        {code && <p className={classes.code}>{code}</p>}
      </div>
      {onRetry && (
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** @param {{ title: string, children?: import('react').ReactNode, action?: import('react').ReactNode, busy?: boolean }} props */
export function EmptyState({ title, children, action, busy = false }) {
  return (
    <div className={classes.state} data-kind="empty">
      {busy ? (
        <Loader size={20} aria-hidden="true" />
      ) : (
        <span aria-hidden="true" className={classes.shape}>
          ○
        </span>
      )}
      <div>
        <p className={classes.title}>{title}</p>
        {children && <div className={classes.text}>{children}</div>}
      </div>
      {action}
    </div>
  )
}

/** A placeholder of the size of what will stand there. @param {{ height: number, label?: string }} props */
export function Placeholder({ height, label = 'Loading' }) {
  return (
    <div role="status" aria-label={label}>
      <Skeleton height={height} radius="md" />
    </div>
  )
}
